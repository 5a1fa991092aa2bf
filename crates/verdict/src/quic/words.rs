//! What the terms mean in the data set `quic`, where they differ from `tcp` (docs/quic.md).

use crate::{Stage, Tag, Termination};

pub(crate) const fn stage_about(stage: Stage) -> &'static str {
    match stage {
        Stage::PostSyn => "The client sent Initial packets, and nothing shows that it got an answer.",
        Stage::PostAck => {
            "The client got an answer, and did not complete the handshake: no 1-RTT packet of it came."
        }
        Stage::PostPsh => {
            "The client completed its handshake and sent 1-RTT packets, and nothing shows that the server confirmed it."
        }
        Stage::Later | Stage::None => {
            "Not cut short as far as can be seen: more 1-RTT packets came, it was alive when last seen, or our own side refused. This is what ordinary connections look like."
        }
    }
}

pub(crate) const fn stage_causes(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::PostSyn => &[
            "A client that went away before the answer: a page was left, an app was closed, a device went to sleep.",
            "Our own server did not answer, or a firewall on our side dropped its answer (look at server_answered).",
            "A NAT or firewall that lost its mapping or lets UDP out only; a path back that does not carry datagrams of 1,200 bytes.",
            "Scanners, and floods with spoofed source addresses: then the place says nothing about the sender.",
            "Filters that drop what follows the ClientHello, in either direction.",
        ],
        Stage::PostAck => &[
            "The client refused the server's certificate: it says so in an encrypted CONNECTION_CLOSE.",
            "The rest of the server's handshake was lost, or had to wait for the validation of the address.",
            "A client that lost its network, or whose process ended.",
            "A filter that acts about one round trip after the ClientHello.",
        ],
        Stage::PostPsh => &[
            "The client moved to another port or network, as browsers do when a path gets worse.",
            "Datagrams that were merged before they were captured (GRO): a connection that went on looks like one that did not.",
            "A client that closed right after its handshake; its CONNECTION_CLOSE is encrypted and cannot be seen.",
            "The server's confirmation was lost, or datagrams of either side were dropped on the way from then on.",
        ],
        Stage::Later | Stage::None => &[],
    }
}

pub(crate) const fn termination_about(termination: Termination) -> Option<&'static str> {
    Some(match termination {
        Termination::Timeout => {
            "The client fell silent before anything showed that its handshake was confirmed."
        }
        Termination::Open => {
            "Still alive when last seen, or silent after more 1-RTT packets. How a QUIC connection ends in the ordinary way cannot be seen from outside."
        }
        _ => return None,
    })
}

pub(crate) const fn tag_about(tag: Tag) -> Option<&'static str> {
    match tag {
        Tag::Timeout => Some(
            "The client fell silent before anything showed that its handshake was confirmed. A server that does not answer causes this as well.",
        ),
        _ => None,
    }
}
