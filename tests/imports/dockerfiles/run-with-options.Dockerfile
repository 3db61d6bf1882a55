FROM a
RUN --mount=type=cache,dst=/c,ro --mount=type=secret,id=s,required,env=S \
  --network=none \
  a \
  b
RUN --mount=target=.,rw=false --security=sandbox ["a", "b c"]
RUN --mount=type=bind,src=/x,from=busybox,readonly=true,uid=3,gid=$G,mode=0755,size=1m x
