FROM a
COPY <<b <<"c" <<'d' <<e /f/
$x
b
$x
c
$x
d
$x
e
