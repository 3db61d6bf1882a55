FROM a
RUN echo é 漢字 😀  x
LABEL a=é
