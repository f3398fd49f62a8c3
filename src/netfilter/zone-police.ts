/**
 * `police rate R burst B`: lines, without their chain, that lead what is beyond the rate to `exceeded` and let the rest
 * return. Both directions and all connections of a class share one bucket, of each family.
 *
 * The kernel's bucket (xt_hashlimit in octets) holds one second of the rate. Where B is more, it is filled so many
 * times more before the rate holds, and again after a minute without a packet: B rounded up to whole seconds. A packet
 * that is longer than that would empty the bucket and pass; it is beyond the rate.
 */
export function policeLines(words: readonly string[], exceeded: string): readonly string[] {
  const number = (name: string): number => Number(words[words.indexOf(name) + 1]);
  const rateOctets = Math.max(1, Math.floor(number('rate') / 8));
  const seconds = Math.max(1, Math.ceil(number('burst') / rateOctets));
  const chain = exceeded.replace('POSTERN-ZONE-', '');
  // A bucket that stands keeps its rate when rules are installed again: a changed one needs another name.
  const name = `--hashlimit-name postern-${chain}-${rateOctets}-${seconds}`;
  const refills = seconds > 1 ? `--hashlimit-burst ${rateOctets * (seconds - 1)}b ` : '';
  const bucket = `--hashlimit-above ${rateOctets}b/s ${refills}${name}`;
  const burstOctets = rateOctets * seconds;
  const tooLong =
    burstOctets < PACKET_OCTETS_MAX
      ? [`-m length --length ${burstOctets + 1}:${PACKET_OCTETS_MAX} -g ${exceeded}`]
      : [];
  return [...tooLong, `-m hashlimit ${bucket} -g ${exceeded}`, '-j RETURN'];
}

const PACKET_OCTETS_MAX = 65_535;
