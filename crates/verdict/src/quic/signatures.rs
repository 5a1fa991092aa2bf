//! The signatures of the data set `quic`: what was last seen, and how it ended (docs/quic.md#signatures).

use crate::signature::Entry;
use crate::{Signature, Stage, Termination};

/// What was last seen of a connection. The number of its signature is this plus that of how it ended
/// (docs/quic.md#signatures).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Last {
    /// Initial packets, without an answer.
    Initial = 1,
    /// The same Initial packet again and again, without an answer.
    InitialRepeated,
    /// An Initial packet with the token of a Retry, without an answer.
    Retry,
    /// An answer, and no Handshake packet.
    Answer,
    /// Handshake packets.
    Handshake,
    /// 1-RTT packets.
    OneRtt,
    /// The same Handshake packets again and again.
    HandshakeRepeated,
}

/// How a connection with a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum End {
    Timeout = 100,
    Close = 110,
    ClientGone = 120,
}

impl Last {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Initial,
        Self::InitialRepeated,
        Self::Retry,
        Self::Answer,
        Self::Handshake,
        Self::OneRtt,
        Self::HandshakeRepeated,
    ];

    /// Returns the signature of a connection that ended in this way; `None` if it has no stage.
    #[must_use]
    pub fn signature(self, termination: Termination, stage: Stage) -> Option<Signature> {
        let end = match termination {
            _ if matches!(stage, Stage::None) => return None,
            Termination::Close => End::Close,
            Termination::ClientGone => End::ClientGone,
            _ => End::Timeout,
        };
        Signature::from_id(self.ends(end))
    }

    /// The number of the signature.
    pub(crate) const fn ends(self, end: End) -> u8 {
        self as u8 + end as u8
    }
}

/// The three signatures of what was last seen.
macro_rules! endings {
    ($last:ident, $name:literal, $stage:ident, $seen:literal, $silent:expr, $closed:expr, $gone:expr $(,)?) => {
        [
            (
                Last::$last.ends(End::Timeout),
                Entry::without_rst(
                    concat!($name, " → ∅"),
                    Stage::$stage,
                    concat!($seen, ", and then silence."),
                    $silent,
                ),
            ),
            (
                Last::$last.ends(End::Close),
                Entry::without_rst(
                    concat!($name, " → CLOSE"),
                    Stage::$stage,
                    concat!($seen, ", and then the client closed the connection in an Initial packet."),
                    $closed,
                ),
            ),
            (
                Last::$last.ends(End::ClientGone),
                Entry::without_rst(
                    concat!($name, " → ICMP"),
                    Stage::$stage,
                    concat!($seen, ", and then the client's host said by ICMP that it had no such socket."),
                    $gone,
                ),
            ),
        ]
    };
}

/// All of them, in the order of their numbers.
pub(crate) const ENTRIES: [(u8, Entry); 21] = by_number([
    endings!(
        Initial,
        "Initial",
        PostSyn,
        "One or more Initials without a sign of an answer",
        &[
            "An ICMP error reached the client, which then is silent (Chromium does this).",
            "A device that went to sleep, or an app that was closed before the answer.",
            "A NAT mapping that was lost.",
            "A scanner that sends one Initial, or a flood with spoofed source addresses (look at undersized, short_dcid and not_opened).",
            "The handshake was blocked after the ClientHello.",
        ],
        CANCELLED,
        CANCELLED,
    ),
    endings!(
        InitialRepeated,
        "Initial; Initial",
        PostSyn,
        "The same Initial again and again, without a sign of an answer",
        NO_ANSWER,
        GAVE_UP,
        GAVE_UP,
    ),
    endings!(
        Retry,
        "Retry; Initial",
        PostSyn,
        "An Initial with the token of a Retry, without a sign of an answer",
        RETRIED,
        RETRIED,
        RETRIED,
    ),
    endings!(
        Answer,
        "Answer",
        PostAck,
        "The client got an answer and sent no Handshake packet",
        HANDSHAKE_LOST,
        HANDSHAKE_CLOSED,
        PROCESS_ENDED,
    ),
    endings!(
        Handshake,
        "Handshake",
        PostAck,
        "The client sent Handshake packets, and none of 1-RTT",
        HANDSHAKE_LOST,
        HANDSHAKE_CLOSED,
        PROCESS_ENDED,
    ),
    endings!(
        OneRtt,
        "1-RTT",
        PostPsh,
        "The client completed its handshake, and nothing shows that the server confirmed it",
        &[
            "The client moved to another port or network (Chromium does so when a path gets worse).",
            "One row stands for several datagrams that were merged (GRO), so a connection that went on looks like one that did not.",
            "A client that lost its network or was closed; its CONNECTION_CLOSE is encrypted and cannot be seen.",
            "Datagrams from client to server were dropped from then on.",
        ],
        ONE_RTT_ENDED,
        PROCESS_ENDED,
    ),
    endings!(
        HandshakeRepeated,
        "Handshake; Handshake",
        PostAck,
        "The client repeated its Handshake packets, and nothing shows that the server confirmed them",
        HANDSHAKE_REPEATED,
        HANDSHAKE_REPEATED,
        PROCESS_ENDED,
    ),
]);

const CANCELLED: &[&str] = &[
    "The client cancelled before the answer: it was interrupted, a page was left, a process ended.",
    "The loser of a race between QUIC and TCP, or IPv6 and IPv4 (Happy Eyeballs v3), where clients cancel losers at once (suspected, not known).",
    "A client with a very short timeout.",
];

const NO_ANSWER: &[&str] = &[
    "Our own server did not answer, or a firewall on our side dropped its answer: look at server_answered.",
    "A stateful firewall or NAT that lets UDP out only.",
    "A path back that does not carry datagrams of 1,200 bytes (MTU).",
    "The way back is filtered, or everything from the client after its first datagrams is.",
];

const GAVE_UP: &[&str] = &[
    "Our own server did not answer, or a firewall on our side dropped its answer: look at server_answered. The client was there and gave up.",
    "A stateful firewall or NAT that lets UDP out only.",
    "A path back that does not carry datagrams of 1,200 bytes (MTU).",
    "The loser of a Happy Eyeballs race, if QUIC got no answer either.",
    "The way back is filtered.",
];

const RETRIED: &[&str] = &[
    "The server rejected the token of its Retry, for instance because another server of the same name gave it.",
    "The client's address changed in between (carrier-grade NAT).",
    "Protection against floods in front of the server.",
    "The answer to the second Initial was lost or dropped on the way.",
];

const HANDSHAKE_LOST: &[&str] = &[
    "The client refused the server's certificate: it says so in an encrypted CONNECTION_CLOSE.",
    "The rest of the server's handshake was lost, or had to wait: before the address is validated a server may send three times what it received (RFC 9000, 8.1).",
    "A client that lost its network.",
    "A filter that acts about one round trip after the ClientHello.",
];

const HANDSHAKE_CLOSED: &[&str] = &[
    "A TLS alert, if the error code is 0x1xx: 0x12a bad certificate, 0x12e certificate unknown.",
    "The client cancelled during the handshake.",
    "The client gave up because the rest of the server's handshake was lost or dropped on the way.",
];

const ONE_RTT_ENDED: &[&str] = &[
    "The client cancelled while the handshake was being confirmed, and closed in packets of all keys that it had.",
    "The client refused what the server sent, such as its transport parameters (see the error code).",
    "The client gave up because the server's confirmation was lost or dropped on the way.",
];

const HANDSHAKE_REPEATED: &[&str] = &[
    "The server's confirmation was lost, or the server was too busy to send it.",
    "Middleboxes or paths that carry long headers and lose short ones.",
    "A client that lost what the server sent, and waited for it until it gave up.",
    "Datagrams of the server were dropped on the way from then on.",
];

const PROCESS_ENDED: &[&str] = &[
    "The client's process ended: an app was closed, a command was interrupted, a crash.",
    "The client gave up this socket in silence and closed it.",
    "A NAT or firewall that lost its mapping and answers for the client.",
];

/// Turns the three endings of each into the order of their numbers.
const fn by_number(entries: [[(u8, Entry); 3]; 7]) -> [(u8, Entry); 21] {
    let mut all = [entries[0][0]; 21];
    let mut at = 0;
    while at < all.len() {
        all[at] = entries[at % 7][at / 7];
        at += 1;
    }
    all
}
