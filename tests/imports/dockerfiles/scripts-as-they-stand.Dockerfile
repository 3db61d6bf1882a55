FROM a
RUN <<EOF
echo one
EOF
RUN --network=none <<EOF
  one && \
    two # three
EOF
RUN <<EOF

#!/bin/sh
one


EOF
RUN <<X
#!/bin/sh
two

X
RUN --security=sandbox <<EOF
if a
then b
fi
EOF
ONBUILD RUN <<EOF
one
two
EOF
ONBUILD RUN --network=none <<EOF
one
EOF
