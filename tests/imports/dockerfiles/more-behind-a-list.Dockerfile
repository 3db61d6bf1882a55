FROM a
CMD ["b", "c"] # why
VOLUME ["/d"] e
ENTRYPOINT ["f"]
COPY ["g", "h"] i
