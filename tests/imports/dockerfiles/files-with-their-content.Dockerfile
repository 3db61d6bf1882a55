FROM a
COPY <<EOF /x
hello $X
EOF
COPY --chmod=755 <<"a.sh" <<'b' /d/
$1
a.sh
2
b
ADD x <<y /d/
z
y
