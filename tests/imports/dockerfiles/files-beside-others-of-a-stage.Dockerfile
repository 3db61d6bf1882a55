FROM a AS b
FROM c
COPY --from=b d <<e /f/
g
e
