#!/bin/sh
# Makes, in the folder $1, an authority, and a certificate of it for the daemon and for its clients.
set -eu
cd "$1"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=lab -keyout ca-key.pem -out ca.pem
for who in server client; do
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$who" -keyout "$who-key.pem" -out "$who.csr"
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=%sAuth\n' "$who" > "$who.ext"
  openssl x509 -req -in "$who.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile "$who.ext" -out "$who.pem"
done
