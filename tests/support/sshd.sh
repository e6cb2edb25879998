#!/bin/sh
# A real OpenSSH server with a configuration of ours, on the loopback: makes
# what is missing in the folder and becomes the server.
#   sshd.sh DIR PORT [HOSTKEYS [MORE]]
# DIR gets host keys (host_ed25519, host_ecdsa), keys of a client (user_ed25519,
# user_secret with the passphrase "open sesame"), and known_hosts. HOSTKEYS names
# which host keys are used, "ed25519 ecdsa" by default; MORE is a line of the
# configuration. As root, passwords and keyboard-interactive go through PAM.
set -eu
dir=$1 port=$2 hostkeys=${3:-ed25519 ecdsa} more=${4-}
command -v ssh-keygen > /dev/null || { echo "install openssh-client" >&2; exit 3; }
[ -x /usr/sbin/sshd ] || { echo "install openssh-server" >&2; exit 3; }
cd "$dir"
for type in $hostkeys; do
  [ -e "host_$type" ] || ssh-keygen -q -t "$type" -N '' -C "" -f "host_$type"
done
[ -e user_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -C "" -f user_ed25519
[ -e user_secret ] || ssh-keygen -q -t ed25519 -N 'open sesame' -C "" -f user_secret
cat user_ed25519.pub user_secret.pub > authorized_keys
: > known_hosts
for type in $hostkeys; do
  printf '[127.0.0.1]:%d %s\n' "$port" "$(cut -d' ' -f1,2 "host_$type.pub")" \
    >> known_hosts
done
pam=no
if [ "$(id -u)" = 0 ]; then
  pam=yes
  mkdir -p /run/sshd
fi
{
  echo "Port $port"
  echo "ListenAddress 127.0.0.1"
  for type in $hostkeys; do echo "HostKey $dir/host_$type"; done
  echo "PidFile none"
  echo "AuthorizedKeysFile $dir/authorized_keys"
  echo "StrictModes no"
  echo "PermitRootLogin yes"
  echo "PasswordAuthentication yes"
  echo "KbdInteractiveAuthentication yes"
  echo "UsePAM $pam"
  echo "MaxStartups 200"
  echo "MaxAuthTries 20"
  echo "PrintMotd no"
  echo "LogLevel VERBOSE"
  case $more in
    Subsystem*) ;;
    *) echo "Subsystem sftp internal-sftp" ;;
  esac
  echo "$more"
} > sshd_config
exec /usr/sbin/sshd -D -e -f "$dir/sshd_config" 2> "$dir/log"
