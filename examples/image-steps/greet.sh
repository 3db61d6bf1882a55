#!/bin/sh
# Greets once a minute; 'docker compose -p image-steps logs' shows it.
while :; do
  echo "hello, $WHO"
  sleep 60
done
