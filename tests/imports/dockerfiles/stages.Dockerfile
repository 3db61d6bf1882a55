FROM --platform=$BUILDPLATFORM a AS Build
RUN make
FROM scratch
COPY --from=Build /a /b
FROM 1
FROM build as last
