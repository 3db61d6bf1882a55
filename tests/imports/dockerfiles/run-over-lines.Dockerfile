FROM a
RUN apt-get update && \
    apt-get install -y \
        curl \
	# why

        jq &&\
  true
