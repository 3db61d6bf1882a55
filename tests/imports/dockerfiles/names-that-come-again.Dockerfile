ARG A=1
ARG A=2 B
FROM a
ARG C=${A#x} C=${C:+"y"} D
ENV E=1 F=2 E=$E:3
ENV G=-march=x -march=y -march=z
LABEL h=1 h=2
