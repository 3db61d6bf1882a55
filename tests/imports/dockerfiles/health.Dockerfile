FROM a
HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0s --start-interval=2s --retries=3 \
  CMD curl -f http://x || exit 1
HEALTHCHECK CMD ["a"]
HEALTHCHECK NONE
