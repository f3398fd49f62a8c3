/** The mail protocols with an engine of their own (cisco-ios 1.1). */
export const MAIL_PROTOCOLS: readonly string[] = ['smtp', 'esmtp', 'pop3', 'imap'];

/** Ciphertext from the first byte: tracked at layer 4 only (D-03). */
export const TLS_PROTOCOLS: readonly string[] = ['smtps', 'pop3s', 'imaps'];

/** The further protocol keywords of IOS's port-to-application mapping; they get layer 4 at most. */
export const OTHER_PROTOCOLS: readonly string[] = (
  '802-11-iapp ace-svr aol appfw appleqtc bgp biff bittorrent bliff bootpc bootps cddbp cifs cisco-fna cisco-net-mgmt ' +
  'cisco-svcs cisco-sys cisco-tdp cisco-tna citrix citriximaclient clp creativepartnr creativeserver cuseeme daytime ' +
  'dbase dbcontrol_agent ddns-v3 dhcp-failover directconnect discard dns dnsix echo edonkey entrust-svc-handler ' +
  'entrust-svcs exec fasttrack fcip-port finger fragment ftp ftps gdoi giop gnutella gopher gtpv0 gtpv1 h323 ' +
  'h323-annexe h323-nxg h323callsigalt hp-alarm-mgr hp-collector hp-managed-node hsrp http https iapp icabrowser ica ' +
  'icq ident igmpv3lite imap3 imsp ipass ipsec-msft ipx irc irc-serv ircs ircu isakmp iscsi iscsi-target kazaa ' +
  'kerberos kermit l2tp ldap ldap-admin ldaps login lotusmtap lotusnote mgcp microsoft-ds ms-cluster-net ' +
  'ms-dotnetster ms-sna ms-sql ms-sql-m msexch-routing msnmsgr msrpc mysql n2h2server ncp net8-cman netbios-dgm ' +
  'netbios-ns netbios-ssn netshow netstat nfs nntp ntp oem-agent oracle oracle-em-vp oraclenames orasrv ' +
  'pcanywheredata pcanywherestat pptp pwdgen qmtp r-winsock radius rdb-dbs-disp realaudio realmedia realsecure ' +
  'router rpc rsvd rsvp-encap rsvp_tunnel rtc-pm-port rtelnet rtsp send sgmp shell sip sip-tls skinny sms snmp ' +
  'snmptrap socks sqlnet sql-net sqlserv sqlsrv ssh sshell ssp stun streamworks sunrpc syslog syslog-conn tacacs ' +
  'tacacs-ds tarantella tcp telnet telnets tftp time timed tr-rsrb ttc udp uucp vdolive vqp webster who wins winmsgr ' +
  'x11 xdmcp ymsgr icmp'
).split(' ');

/** Protocol keywords as a choice of the command grammar. */
export function protocolChoice(...lists: readonly (readonly string[])[]): string {
  return `<${[...new Set(lists.flat())].sort().join('|')}>`;
}
