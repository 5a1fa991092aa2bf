//! What the terms mean in the data set `origin`, where they differ from `tcp`: here the RSTs come from the server.

use crate::{Exclusion, Stage, Tag, Termination};

pub(crate) const fn stage_about(stage: Stage) -> &'static str {
    match stage {
        Stage::PostSyn => {
            "We sent a SYN, and it was refused, nothing came, or an ICMP error came: the handshake was never completed."
        }
        Stage::PostAck => {
            "The server accepted the connection, and then it reset it, or never acknowledged what we sent."
        }
        Stage::PostPsh => {
            "The server acknowledged our first message (a request, a TLS ClientHello), and then it reset the connection, or no answer came."
        }
        Stage::Later => "The server acknowledged more than our first message, and then reset the connection.",
        Stage::None => {
            "Not cut short: answered, closed in the ordinary way, unused, or alive when last seen. This is what ordinary connections look like."
        }
    }
}

pub(crate) const fn stage_causes(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::PostSyn => &[
            "The server or its service was down or restarting: nothing listens, so the port is refused (your proxy may have logged 502 or 521).",
            "A wrong address or port in our settings; an old DNS record.",
            "The server's queue of new connections was full, so it dropped the SYN (522, or 'connect timed out').",
            "No route, or a host that is down: a router says so by ICMP (502 or 523).",
            "Happy Eyeballs (RFC 8305) and health checks with a short timeout.",
            "Firewalls and rules of cloud networks that drop or reject the SYN; rate limits for our address.",
        ],
        Stage::PostAck => &[
            "A load balancer in front of the server accepts for it, although no server stands behind it.",
            "The server's process is stopped or overloaded: its kernel accepts, and nothing reads (504 or 524).",
            "The request is larger than the path allows, and the ICMP error that says so is dropped (path MTU).",
            "The server resets connections beyond a limit, or those of addresses that it does not know (520).",
            "Filters that drop a TLS ClientHello or reset the connection at once.",
        ],
        Stage::PostPsh => &[
            "A server that is slower than our timeout (504 or 524), or whose process crashed while it answered (520).",
            "A kept connection that the server closed at the moment when we used it again (520, 'upstream prematurely closed connection').",
            "A TLS handshake that the server refuses with a RST: an unknown name, no common version.",
            "A NAT, load balancer or firewall on the way lost its state or reached its idle timeout.",
            "Resets injected after the ClientHello or the request; an answer that was dropped on the way.",
        ],
        Stage::Later => &[
            "A server that resets idle connections in place of closing them.",
            "A server or load balancer that was restarted while connections were open.",
            "A response that was cut off (or, with TLS, anything after the ClientHello): a crash, a limit of time or size.",
            "Middleboxes that see clear-text or decrypted content.",
        ],
        Stage::None => &[],
    }
}

pub(crate) const fn termination_about(termination: Termination) -> Option<&'static str> {
    Some(match termination {
        Termination::Reset => "A RST came from the server's side.",
        Termination::Fin => {
            "Closed in the ordinary way: by the server with a FIN, or by us after the server had sent something."
        }
        Termination::Unreachable => {
            "An ICMP error that quotes our SYN said that the server cannot be reached."
        }
        Termination::GaveUp => "We closed the connection, and the server had not sent a byte.",
        Termination::Open => {
            "Still alive when last seen, silent after the server had sent something, or never used."
        }
        Termination::Timeout => "The server fell silent, and had never sent a byte of an answer.",
        _ => return None,
    })
}

pub(crate) const fn exclusion_about(exclusion: Exclusion) -> Option<&'static str> {
    Some(match exclusion {
        Exclusion::SelfConnected => {
            "source and destination are the same: a socket that is connected to itself"
        }
        Exclusion::NoSyn => "no SYN seen in either direction: older connections",
        _ => return None,
    })
}

pub(crate) const fn tag_about(tag: Tag) -> Option<&'static str> {
    Some(match tag {
        Tag::Timeout => {
            "The server fell silent, and had never sent a byte of an answer. We had asked for something, or not even the handshake was completed."
        }
        Tag::Reset => "At least one RST came from the server's side after our SYN.",
        Tag::Fin => {
            "A FIN came besides the RST, ours or the server's. Servers that close a connection while data is still arriving do this."
        }
        Tag::Answered => "The server sent at least one byte, whatever the stage.",
        Tag::SynPayload => "Our SYN carries payload: TCP Fast Open (RFC 7413).",
        Tag::SynRetransmitted => {
            "We sent the SYN more than once: no SYN+ACK came in time. The SYN or the SYN+ACK was lost, or the server did not answer."
        }
        _ => return None,
    })
}

/// The causes of a signature that the server's RSTs or silence end.
pub(crate) const fn signature_causes(id: u8) -> Option<&'static [&'static str]> {
    const SYN_SILENT: &[&str] = &[
        "The server is down, or its queue of new connections is full.",
        "The SYN or the SYN+ACK was lost on the way.",
        "A wrong address, or a firewall that drops what it does not allow.",
        "Your proxy may have logged 522, or 'connect timed out'.",
    ];
    const SYN_RST: &[&str] = &[
        "Nothing listens at this port (tag refused): the service is down, restarting, or elsewhere.",
        "A firewall or load balancer that rejects with a RST.",
        "A server with a half-open connection on the same ports.",
        "Your proxy may have logged 502, 521, or 'connection refused'.",
    ];
    const ACK_SILENT: &[&str] = &[
        "A load balancer that accepts, with no server behind it.",
        "A process that is stopped or overloaded: its kernel accepts, and nothing reads.",
        "The request was lost or dropped on the way: a path MTU, a firewall that lost its state, filters of TLS ClientHellos.",
        "Your proxy may have logged 504 or 524.",
    ];
    const ACK_RST: &[&str] = &[
        "A server or load balancer that accepts and then rejects: a limit of connections, a list of allowed addresses, no server behind it.",
        "A service that crashed or was restarted at that moment.",
        "Middleboxes that reset the connection when they see our request.",
        "Your proxy may have logged 520 or 502, or 'connection reset by peer'.",
    ];
    const PSH_SILENT: &[&str] = &[
        "A server that takes longer than we wait.",
        "An answer that was lost or dropped on the way.",
        "A NAT or firewall that lost its state.",
        "Your proxy may have logged 504 or 524.",
    ];
    const PSH_RST: &[&str] = &[
        "A kept connection that the server closed at the moment when we used it again.",
        "A server that crashed, or that refuses the request or the TLS handshake with a RST.",
        "A load balancer or NAT that reached its idle timeout.",
        "Resets injected after the request or the ClientHello.",
        "Your proxy may have logged 520, or 'upstream prematurely closed connection'.",
    ];
    const LATER_RST: &[&str] = &[
        "A server that resets idle connections in place of closing them.",
        "A server or load balancer that was restarted while the connection was open.",
        "A response that was cut off or, with TLS, anything after the ClientHello.",
        "Middleboxes with insight into the content.",
    ];
    Some(match id {
        1 => SYN_SILENT,
        2..=4 => SYN_RST,
        5 => ACK_SILENT,
        6..=9 => ACK_RST,
        10 => PSH_SILENT,
        11..=17 => PSH_RST,
        18 | 19 => LATER_RST,
        _ => return None,
    })
}

/// What was seen where one of the 19 signatures matches.
pub(crate) const fn signature_about(id: u8) -> Option<&'static str> {
    Some(match id {
        1 => "A SYN, and then silence.",
        2 => "A SYN, and then one or more RSTs without the ACK bit from the server's side.",
        3 => "A SYN, and then one or more RSTs with the ACK bit from the server's side.",
        4 => "A SYN, and then RSTs with and without the ACK bit from the server's side.",
        5 => "A completed handshake, and then silence: the server never acknowledged what we sent.",
        6 => "A completed handshake, and then one RST without the ACK bit from the server's side.",
        7 => "A completed handshake, and then two or more RSTs without the ACK bit from the server's side.",
        8 => "A completed handshake, and then one RST with the ACK bit from the server's side.",
        9 => "A completed handshake, and then two or more RSTs with the ACK bit from the server's side.",
        10 => "The server acknowledged our first message, and then silence: no answer came.",
        11 => "The server acknowledged our first message, and then sent one RST without the ACK bit.",
        12 => "The server acknowledged our first message, and then sent one RST with the ACK bit.",
        13 => "The server acknowledged our first message, and then sent RSTs with and without the ACK bit.",
        14 => "The server acknowledged our first message, and then sent two or more RSTs with the ACK bit.",
        15 => {
            "The server acknowledged our first message, and then two or more RSTs without the ACK bit came, with equal acknowledgement numbers."
        }
        16 => {
            "The server acknowledged our first message, and then RSTs without the ACK bit came whose acknowledgement numbers differ, none being 0."
        }
        17 => {
            "The server acknowledged our first message, and then RSTs without the ACK bit came whose acknowledgement numbers differ, at least one being 0."
        }
        18 => {
            "The server acknowledged more than our first message, and then sent one or more RSTs without the ACK bit."
        }
        19 => {
            "The server acknowledged more than our first message, and then sent one or more RSTs with the ACK bit."
        }
        _ => return None,
    })
}
