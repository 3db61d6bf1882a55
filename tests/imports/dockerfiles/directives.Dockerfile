# syntax=docker/dockerfile:1.7-labs
# escape=\

FROM a
# escape=`
RUN a \
  b
