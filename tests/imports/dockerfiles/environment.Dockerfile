FROM a
ENV A=1 B="two words" C='single $X' D=a\ b E=$A F="q\"q" G=\$H I=
ENV J K  L
ENV M "n" o
ENV P="a\\b" Q="c\d"
ENV R=${S:-t} \
    # why
    U=${V:+w}
