#!/usr/bin/env bash
# Says hello every second until it is asked to stop.
trap 'echo "stopped"; exit 0' TERM
echo "hello from shell"
while true; do
  sleep 1 &
  wait $!
done
