#!/usr/bin/perl
# raw-wire.pl DEVICE: sends the Ethernet frames that it reads as lines of hex, and prints those that come in the same way. Perl,
# because it is on every Debian machine and can open a packet socket.
use strict;
use warnings;
use Socket;

my ($device) = @ARGV;
my ($PF_PACKET, $ETH_P_ALL, $SIOCGIFINDEX) = (17, 0x0003, 0x8933);
my $FRAME_BYTES_MAX = 65_536;

socket(my $wire, $PF_PACKET, SOCK_RAW, $ETH_P_ALL << 8) or die "socket: $!";
my $request = pack('a16 x16', $device);
ioctl($wire, $SIOCGIFINDEX, $request) or die "$device: $!";
my $index = unpack('x16 i', $request);
bind($wire, pack('S n i S C C a8', $PF_PACKET, $ETH_P_ALL, $index, 0, 0, 0, '')) or die "bind: $!";

$| = 1;
print "listening\n";
my $rest = '';
while (1) {
  my $ready = '';
  vec($ready, fileno($wire), 1) = 1;
  vec($ready, fileno(STDIN), 1) = 1;
  select($ready, undef, undef, undef);
  if (vec($ready, fileno($wire), 1)) {
    recv($wire, my $frame, $FRAME_BYTES_MAX, 0);
    print unpack('H*', $frame), "\n";
  }
  next unless vec($ready, fileno(STDIN), 1);
  sysread(STDIN, $rest, $FRAME_BYTES_MAX, length $rest) or exit;
  while ($rest =~ s/^([0-9a-f]*)\n//) { send($wire, pack('H*', $1), 0) }
}
