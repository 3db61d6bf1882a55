FROM a
COPY a b c/
COPY ["a b", "/d e/"]
COPY "q" 'r' /s
COPY --chown=a:b --chmod=u=rwX,go=rX --link --from=$X . .
ADD --checksum=sha256:ab --keep-git-dir=true https://x/y.git /z
COPY --parents --exclude=*.o --exclude=b ./a/./b /c
COPY $A ${B:-c} /$D/
