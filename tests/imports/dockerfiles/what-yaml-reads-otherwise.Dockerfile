FROM a
RUN 1.0
RUN 'yes': x # y
CMD no
USER 0
ENV A=on B=12:30 C=0x1f D=~
RUN - x
RUN "a" && b
RUN @x `y`
