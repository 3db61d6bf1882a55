FROM a
EXPOSE 80 443/tcp 53/UDP 8000-8010 $P ${Q}/udp $R-$S/tcp
