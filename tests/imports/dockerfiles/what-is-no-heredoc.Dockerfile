FROM a
RUN echo 'a <<EOF b' "<<X" $((1 << 2)) <<<here
RUN x
