ARG A=1
ARG B
ARG C='x y' D
FROM debian:${A:-2}
ARG A
ARG B=${A} C="q"
