FROM a
RUN cat <<EOF > /x && \
  true
hello $X
EOF
RUN a <<A <<-B
1
A
	2
	B
RUN python3 - <<'EOF'
x
EOF
