FROM a
RUN <<-'END'
	one
		two
	END
RUN <<X
#!/usr/bin/env python3
print(1)
X
