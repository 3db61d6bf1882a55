FROM a
RUN <<EOF
set -e
  echo "$X" \
    more
# a comment

EOF
USER b
