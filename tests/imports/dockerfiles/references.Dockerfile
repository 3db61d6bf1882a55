ARG V=${W:-"x"}
FROM "debian:$V" AS a
FROM debian${S#-slim}
ARG A=${B:+"all=-N -l"} C="$D"e F=$G"h" I="j$"k L=${M%%.*}
ENV N=${O:-${P:-q}} R=a$'b'
ARG T=${U//\//-}
LABEL x="$D"_$E.z
COPY --from=a "$A/b" "${C}"
ENV V="\\$W" X="\\\$Y" Z=\\\\$A
