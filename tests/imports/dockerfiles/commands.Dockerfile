FROM a
CMD ["a", "b c"]
ENTRYPOINT exec a \
  b	\
  $C
CMD []
ENTRYPOINT [ "a" ]
CMD [not json]
RUN [ -f x ] && y
