ARG P
FROM --platform=linux/$P a
FROM --platform=$BUILDOS/${BUILDARCH} b
COPY --chown="$U:g" --from="0" x y
RUN --mount="type=cache,target=/c" --mount=type=$T,TARGET=/d,sharing=$S x
RUN --network="none" \
  x
