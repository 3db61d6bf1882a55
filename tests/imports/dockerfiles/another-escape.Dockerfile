# escape=`
FROM a
WORKDIR C:\x\y
RUN dir `
  C:\z
ENV P=C:\p Q=`$r
COPY a\b C:\c\
