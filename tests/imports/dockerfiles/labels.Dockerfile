FROM a
LABEL a.b/c="d e" f='g "h"' "i"=j
LABEL k l m
LABEL multi="one \
two"
