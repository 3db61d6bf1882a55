# escape=`
FROM a
WORKDIR C:\x\y
RUN dir `
  C:\z
ENV P=C:\p Q=`$r
COPY a\b C:\c\
WORKDIR C:\x\
USER y
ENV D=C:\a\$r E="C:\${s}\b" F='\$t' G=\\$u
