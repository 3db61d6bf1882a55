FROM a
VOLUME /a /b
VOLUME ["/c d"]
VOLUME $E
