#pragma once

#include <cstddef>
#include <cstdint>

/// Every capacity and budget of the native side, with its unit in its name.
namespace postern {

/// Largest packet the kernel copies to us: 65,535 less the netlink attribute header
/// (nfnetlink_queue).
inline constexpr std::size_t kPacketBytesMax = 65'531;
/// IPv6 extension headers walked before a packet counts as malformed.
inline constexpr std::size_t kIpv6ExtensionHeadersMax = 8;
/// Packets taken from the queue in one turn, so that verdicts of early ones do not wait for late
/// ones.
inline constexpr std::size_t kPacketsPerTurnMax = 64;
/// Flows a worker tracks: connections whose handshake is complete.
inline constexpr std::size_t kFlowsMaxDefault = 131'072;
/// Stored stream bytes come in chunks of this size.
inline constexpr std::size_t kChunkBytes = 2'048;
/// Chunks a worker owns: 64 MiB of streams in flight.
inline constexpr std::size_t kChunksMaxDefault = 32'768;
/// In-order bytes of one side that its receiver has not acknowledged yet. More are dropped and come
/// again.
inline constexpr std::size_t kUnacknowledgedBytesMax = 4U << 20U;
/// A side has at most such a part of what is free of those chunks, so that a few sides cannot take
/// all of them; and this much in any case, a super-packet.
inline constexpr std::size_t kFreeChunksPerSideDivisor = 8;
inline constexpr std::size_t kUnacknowledgedBytesAssured = 65'536;
/// Packets held without a verdict, a side of a flow.
inline constexpr std::size_t kHeldPacketsPerSideMax = 64;
/// And of all flows of a worker: half of the kernel's queue, which has as many places and would
/// drop everybody's packets without any.
inline constexpr std::size_t kHeldPacketsMaxDefault = 4'096;
/// The head of a line that a tolerant framing keeps (see LineFraming), and its tail.
inline constexpr std::size_t kTolerantTailBytes = 64;
/// Text handed to JavaScript in one turn.
inline constexpr std::size_t kArenaBytes = 1U << 20U;
/// Events in one call of the batch function; at most one a flow.
inline constexpr std::size_t kEventsPerBatchMax = 256;
/// Order words JavaScript may write in answer to one batch.
inline constexpr std::size_t kOrderWordsMax = 16'384;
/// A refusal's words toward the client.
inline constexpr std::size_t kRefusalBytesMax = 1'024;
/// How long a client that is refused may be silent behind a look-alike of its message's end.
inline constexpr std::int64_t kLookAlikeQuietMs = 1'000;
/// RFC 7323 2.3: larger shift counts are used as 14.
inline constexpr std::uint8_t kWindowScaleMax = 14;

/// A TLS hello with its record headers, kept until it is whole; more is none.
inline constexpr std::size_t kTlsHelloBytesMax = 16'384;
/// Octets of hellos under way, all flows of a worker together.
inline constexpr std::size_t kTlsHelloTotalBytesMax = 32U << 20U;
/// A server name in it: a host name has 253 octets at most (RFC 1035 2.3.4).
inline constexpr std::size_t kTlsServerNameBytesMax = 255;

/// MIME parts of a message that are told apart; what follows passes as one body.
inline constexpr std::size_t kMimePartsMax = 1'024;
/// Multiparts and messages inside of each other.
inline constexpr std::size_t kMimeDepthMax = 24;
/// Header octets of a message, those of its parts included, that are read as fields.
inline constexpr std::size_t kMimeHeaderBytesMax = 1U << 20U;
/// Header fields of a message, those of its parts included.
inline constexpr std::size_t kMimeFieldsMax = 16'384;
/// An unfolded header field that is kept whole.
inline constexpr std::size_t kMimeFieldBytesMax = 65'536;
/// What a scan has to tell of one message, in all; more is a verdict.
inline constexpr std::size_t kContentFactBytesMax = 32'768;
/// Content plans, of this configuration and of those that sessions still run under.
inline constexpr std::size_t kContentPlansMax = 1'024;
/// A boundary that is compared whole; RFC 2046 5.1.1 allows 70.
inline constexpr std::size_t kMimeBoundaryBytesMax = 256;
/// Boundaries that are looked for at a time, all readings of all levels.
inline constexpr std::size_t kMimeBoundariesMax = 64;
/// A line that may be a boundary line is held up to here.
inline constexpr std::size_t kMimeBoundaryLineBytesMax = 384;
/// Decoded octets that are handed on at once.
inline constexpr std::size_t kMimeDecodedBlockBytes = 4'096;

/// Sessions of UDP and ICMP a worker tracks.
inline constexpr std::size_t kDatagramFlowsMax = 65'536;
/// Half-open connections, all workers together, at 64 octets each.
inline constexpr std::size_t kHalfOpenMax = 1'048'576;
/// Responder hosts that have one, or are blocked.
inline constexpr std::size_t kHostsMax = 65'536;
/// Half-open connections given up to free the record of a host for a new one.
inline constexpr std::size_t kHostRoomEvictionsMax = 16;
/// Hosts toward which no SYN passes (`tcp max-incomplete host … block-time`).
inline constexpr std::size_t kBlockedHostsMax = 4'096;
/// Hosts named in one sample of the gate.
inline constexpr std::size_t kHostReportsMax = 256;
/// Dropped packets described in one sample of the gate.
inline constexpr std::size_t kGateDropsMax = 64;
/// Half-open connections given up by one turn of the clock before others get the lock.
inline constexpr std::size_t kExpiriesPerCallMax = 256;
/// Blocks and clears that wait for the gate's thread.
inline constexpr std::size_t kGateCommandsMax = 8'192;
/// Half-open connections of which the kernel's SYNPROXY has told, at 8 octets each.
inline constexpr std::size_t kProxiedMax = 65'536;
/// RSTs a second toward initiators of half-open connections that are given up: a thread each.
inline constexpr std::uint32_t kInitiatorResetsASecond = 100;
/// RSTs a second toward responders for which NAT is looked up: a thread each.
inline constexpr std::uint32_t kResetLookupsASecond = 1'000;

/// Connections under way of which nothing is known, reset at both ends a second: a worker each.
inline constexpr std::uint32_t kMidstreamResetsASecond = 1'000;

/// RSTs sent for segments of a session that is over.
inline constexpr std::uint8_t kLateResetsMax = 8;
/// Payload of a segment that Postern builds, however large the receiver's segments may be.
inline constexpr std::size_t kInjectedPayloadBytesMax = 1'200;
/// And at least this much, however little the receiver announced: an MSS of 0 must not stop us, nor
/// one of 1 make us send a packet an octet.
inline constexpr std::size_t kInjectedPayloadBytesMin = 48;

/// Patterns of one place of matching, and what they may take: refused beyond it when compiled.
inline constexpr std::size_t kPatternsMax = 16'384;
/// A pattern in the words of the engine; those of the configuration have 240 characters.
inline constexpr std::size_t kPatternExpressionBytesMax = 1'024;
/// Larger sets are parted: the time to compile grows faster than their number.
inline constexpr std::size_t kPatternsPerDatabaseMax = 4'096;
inline constexpr std::size_t kPatternDatabaseBytesMax = 64U << 20U;
/// State of one stream, of a text that comes in pieces.
inline constexpr std::size_t kPatternStreamBytesMax = 16'384;
/// Texts of one set that a worker scans at once.
inline constexpr std::size_t kPatternStreamsMax = 16'384;

}  // namespace postern
