FROM a
RUN \
    # first
    one \
    && two
