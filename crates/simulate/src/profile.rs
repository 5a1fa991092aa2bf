//! Who does what how often: behaviours of networks as shares of scenarios.
use crate::client::Client;
use crate::rng::Rng;
use crate::truth::tag;

/// What connections from a network are like. The last three are what an [incident](crate::Incident)
/// lays over a network's own behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Homes and offices.
    Fixed,
    /// Phones in mobile networks.
    Mobile,
    /// Servers that call other servers.
    Hosting,
    /// A crawler that cancels many downloads.
    Crawler,
    /// A mobile network with half its connections silent after the handshake.
    ZeroRating,
    /// Two RST+ACKs of another TTL and IP id after the first data.
    ResetAfterData,
    /// Several RSTs of different acknowledgement numbers after the first data.
    VaryingAcks,
    /// Connects, then resets.
    HealthChecker,
    /// ZMap: mostly before 4.1.
    Zmap,
    /// The scanner masscan.
    Masscan,
    /// Requests within the SYN.
    SynPayload,
    /// A research scanner: half Post-SYN, much of the rest reset later.
    Research,
    /// Lost return paths, as while a country is cut off.
    Shutdown,
    /// Requests that are lost on the way.
    Exams,
    /// SYNs of forged sources.
    Flood,
}

/// When a network is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// In the evening and at weekends.
    People,
    /// Machines that are active at all hours.
    Machines,
}

impl Behaviour {
    pub(crate) fn rhythm(self) -> Rhythm {
        match self {
            Self::Fixed | Self::Mobile | Self::ZeroRating | Self::ResetAfterData | Self::VaryingAcks => {
                Rhythm::People
            }
            _ => Rhythm::Machines,
        }
    }

    /// Share of IPv6 in 1,000.
    pub(crate) fn ipv6_share(self) -> u64 {
        match self {
            Self::Mobile => 420,
            Self::Fixed | Self::ResetAfterData | Self::VaryingAcks => 300,
            Self::ZeroRating | Self::Crawler | Self::Shutdown | Self::Exams => 200,
            Self::Hosting | Self::HealthChecker => 100,
            Self::Zmap | Self::Masscan | Self::SynPayload | Self::Research | Self::Flood => 0,
        }
    }

    /// How many addresses of each block are in use.
    pub(crate) fn hosts(self) -> u64 {
        match self {
            Self::HealthChecker => 6,
            Self::Masscan | Self::SynPayload => 3,
            Self::Zmap | Self::Research => 40,
            Self::Crawler => 400,
            Self::Hosting => 2000,
            _ => u64::MAX,
        }
    }

    pub(crate) fn client(self, rng: &mut Rng) -> Client {
        match (self, rng.below(100)) {
            (Self::Zmap, 30..) => Client::Zmap,
            (Self::Zmap, _) | (Self::Research, 50..) => Client::ZmapNew,
            (Self::Masscan, _) => Client::Masscan,
            (Self::Flood | Self::SynPayload, _) => Client::Bare,
            (Self::Hosting | Self::Crawler | Self::HealthChecker | Self::Research, _) => Client::Linux,
            (Self::Mobile | Self::ZeroRating, 35..) => Client::Linux,
            (Self::Mobile | Self::ZeroRating, _) => Client::Apple,
            (_, 55..) => Client::Windows,
            (_, 25..) => Client::Linux,
            _ => Client::Apple,
        }
    }

    pub(crate) fn port(self, rng: &mut Rng) -> u16 {
        match (self, rng.below(100)) {
            (Self::SynPayload, _) | (_, 80..95) => 80,
            (_, 95..) => 8443,
            _ => 443,
        }
    }

    /// What one connection does.
    pub(crate) fn scenario(self, rng: &mut Rng) -> Scenario {
        let Mix { total, shares } = self.mix();
        let mut at = rng.below(u64::from(*total)) as u32;
        for (share, scenario) in *shares {
            match at.checked_sub(*share) {
                Some(rest) => at = rest,
                None => return *scenario,
            }
        }
        Scenario::Tail
    }

    fn mix(self) -> &'static Mix {
        match self {
            Self::Fixed => &FIXED,
            Self::Mobile => &MOBILE,
            Self::Hosting => &HOSTING,
            Self::Crawler => &CRAWLER,
            Self::ZeroRating => &ZERO_RATING,
            Self::ResetAfterData => &RESET_AFTER_DATA,
            Self::VaryingAcks => &VARYING_ACKS,
            Self::HealthChecker => &HEALTH_CHECKER,
            Self::Zmap => &ZMAP,
            Self::Masscan => &MASSCAN,
            Self::SynPayload => &SYN_PAYLOAD,
            Self::Research => &RESEARCH,
            Self::Shutdown => &SHUTDOWN,
            Self::Exams => &EXAMS,
            Self::Flood => &FLOOD,
        }
    }
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// It gets somewhere, then ends.
    Run(Reached, Ending),
    /// The tail of an older connection, or backscatter.
    Tail,
    /// Two SYNs of different sequence numbers.
    TwoSyns,
}

/// How far a connection gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The client's SYN packet.
    Syn,
    /// A SYN with payload.
    SynData,
    /// The client's ACK that completes the handshake.
    Ack,
    /// The handshake and keep-alives.
    Idle,
    /// The handshake and the greeting of a server that speaks first.
    Banner,
    /// The client's request, its first data.
    Request,
    /// Two messages before any answer.
    Pipelined,
    /// The request and its answer.
    Answer,
    /// More requests after an answer.
    More,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Silence,
    Fin,
    /// RSTs of the client itself.
    Abort(Resets),
    /// RSTs from elsewhere: another TTL and IP id.
    Forged(Resets),
    /// A FIN, then RSTs of the client.
    FinAbort(Resets),
}

/// What RSTs there are. `Ack`: with the ACK bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resets {
    One,
    OneAck,
    /// Of one acknowledgement number.
    Same,
    /// Of the acknowledgement number 0.
    Same0,
    /// Of different acknowledgement numbers.
    Diff,
    /// Of different acknowledgement numbers, one of them 0.
    Diff0,
    ManyAck,
    /// With and without the ACK bit.
    Mixed,
}

impl Resets {
    /// Whether all have the ACK bit.
    pub(crate) fn acked(self) -> bool {
        matches!(self, Self::OneAck | Self::ManyAck)
    }

    pub(crate) fn mixed(self) -> bool {
        self == Self::Mixed
    }

    pub(crate) fn tags(self) -> u32 {
        match self {
            Self::One => tag::SINGLE_RST,
            Self::OneAck => tag::SINGLE_RSTACK,
            Self::Same => tag::MULTIPLE_RSTS | tag::ACKNUM_SAME,
            Self::Same0 => tag::MULTIPLE_RSTS | tag::ACKNUM_SAME0,
            Self::Diff => tag::MULTIPLE_RSTS | tag::ACKNUM_DIFF,
            Self::Diff0 => tag::MULTIPLE_RSTS | tag::ACKNUM_DIFF0,
            Self::ManyAck => tag::MULTIPLE_RSTACKS,
            Self::Mixed => tag::RST_AND_RSTACKS,
        }
    }

    /// The signature where they follow the first message.
    pub(crate) fn after_data(self) -> u8 {
        match self {
            Self::One => 11,
            Self::OneAck => 12,
            Self::Mixed => 13,
            Self::ManyAck => 14,
            Self::Same | Self::Same0 => 15,
            Self::Diff => 16,
            Self::Diff0 => 17,
        }
    }
}

struct Mix {
    total: u32,
    shares: &'static [(u32, Scenario)],
}

const fn mix(shares: &'static [(u32, Scenario)]) -> Mix {
    let (mut total, mut i) = (0, 0);
    while i < shares.len() {
        total += shares[i].0;
        i += 1;
    }
    Mix { total, shares }
}

const fn run(reached: Reached, ending: Ending) -> Scenario {
    Scenario::Run(reached, ending)
}

use Ending::{Abort, Fin, FinAbort, Forged, Silence};
use Reached::{Ack, Answer, Banner, Idle, More, Pipelined, Request, Syn, SynData};
use Resets::{Diff, Diff0, ManyAck, Mixed, One, OneAck, Same, Same0};

static FIXED: Mix = mix(&[
    (4300, run(Answer, Fin)),
    (2300, run(More, Fin)),
    (900, run(Answer, Silence)),
    (700, run(More, Silence)),
    (60, run(Ack, Fin)),
    (40, run(Banner, Silence)),
    (290, run(Syn, Silence)),
    (90, run(Syn, Abort(One))),
    (40, run(Syn, Abort(OneAck))),
    (5, run(Syn, Abort(Same0))),
    (2, run(Syn, Forged(Mixed))),
    (70, run(Ack, Silence)),
    (10, run(Idle, Silence)),
    (70, run(Ack, Abort(OneAck))),
    (25, run(Ack, Abort(One))),
    (4, run(Ack, Abort(Same0))),
    (3, run(Ack, Forged(ManyAck))),
    (1, run(Ack, Forged(Mixed))),
    (10, run(Banner, Abort(OneAck))),
    (16, run(Request, Silence)),
    (3, run(Pipelined, Silence)),
    (8, run(Request, Abort(One))),
    (12, run(Request, Abort(OneAck))),
    (3, run(Request, Forged(OneAck))),
    (2, run(Request, Forged(Same))),
    (1, run(Request, Forged(Mixed))),
    (14, run(Answer, Abort(OneAck))),
    (8, run(Answer, Abort(Same0))),
    (210, run(More, Abort(One))),
    (260, run(More, Abort(OneAck))),
    (60, run(More, Abort(Same0))),
    (3, run(More, Forged(Mixed))),
    (110, run(More, FinAbort(One))),
    (50, run(More, FinAbort(Same0))),
    (12, run(Answer, FinAbort(One))),
    (35, Scenario::Tail),
    (8, Scenario::TwoSyns),
]);

static MOBILE: Mix = mix(&[
    (4200, run(Answer, Fin)),
    (2100, run(More, Fin)),
    (1000, run(Answer, Silence)),
    (700, run(More, Silence)),
    (60, run(Ack, Fin)),
    (420, run(Syn, Silence)),
    (110, run(Syn, Abort(One))),
    (60, run(Syn, Abort(OneAck))),
    (120, run(Ack, Silence)),
    (20, run(Idle, Silence)),
    (75, run(Ack, Abort(OneAck))),
    (30, run(Ack, Abort(One))),
    (30, run(Request, Silence)),
    (4, run(Pipelined, Silence)),
    (10, run(Request, Abort(One))),
    (10, run(Request, Abort(OneAck))),
    (12, run(Answer, Abort(OneAck))),
    (260, run(More, Abort(One))),
    (190, run(More, Abort(OneAck))),
    (60, run(More, Abort(Same0))),
    (120, run(More, FinAbort(One))),
    (60, run(More, FinAbort(Same0))),
    (45, Scenario::Tail),
    (12, Scenario::TwoSyns),
]);

static HOSTING: Mix = mix(&[
    (6500, run(Answer, Fin)),
    (2000, run(More, Fin)),
    (500, run(More, Silence)),
    (420, run(Syn, Silence)),
    (60, run(Syn, Abort(One))),
    (90, run(Ack, Abort(OneAck))),
    (20, run(Ack, Abort(Same))),
    (20, run(Request, Silence)),
    (25, run(Request, Abort(OneAck))),
    (160, run(More, Abort(OneAck))),
    (100, run(More, Abort(One))),
    (25, Scenario::Tail),
]);

static CRAWLER: Mix = mix(&[
    (5600, run(Answer, Fin)),
    (1800, run(More, Fin)),
    (300, run(More, Silence)),
    (60, run(Syn, Silence)),
    (40, run(Ack, Abort(OneAck))),
    (90, run(Answer, Abort(OneAck))),
    (1500, run(More, Abort(OneAck))),
    (300, run(More, Abort(One))),
    (90, run(More, Abort(ManyAck))),
]);

static ZERO_RATING: Mix = mix(&[
    (5000, run(Ack, Silence)),
    (2300, run(Answer, Fin)),
    (1200, run(More, Fin)),
    (600, run(More, Silence)),
    (360, run(Syn, Silence)),
    (60, run(Syn, Abort(One))),
    (60, run(Ack, Abort(OneAck))),
    (40, run(Request, Silence)),
    (300, run(More, Abort(One))),
    (40, Scenario::Tail),
]);

static RESET_AFTER_DATA: Mix = mix(&[
    (4100, run(Answer, Fin)),
    (2100, run(More, Fin)),
    (1000, run(More, Silence)),
    (900, run(Request, Forged(ManyAck))),
    (160, run(Request, Forged(Mixed))),
    (90, run(Request, Forged(OneAck))),
    (40, run(Syn, Forged(Mixed))),
    (120, run(Request, Silence)),
    (330, run(Syn, Silence)),
    (110, run(Syn, Abort(One))),
    (80, run(Ack, Abort(OneAck))),
    (420, run(More, Abort(OneAck))),
    (120, run(More, FinAbort(One))),
    (40, Scenario::Tail),
]);

static VARYING_ACKS: Mix = mix(&[
    (4200, run(Answer, Fin)),
    (2200, run(More, Fin)),
    (1100, run(Answer, Silence)),
    (600, run(Request, Forged(Diff))),
    (160, run(Request, Forged(Diff0))),
    (90, run(Request, Forged(Same))),
    (350, run(Syn, Silence)),
    (100, run(Syn, Abort(One))),
    (70, run(Ack, Abort(OneAck))),
    (30, run(Ack, Forged(Diff))),
    (450, run(More, Abort(OneAck))),
    (40, Scenario::Tail),
]);

static HEALTH_CHECKER: Mix =
    mix(&[(9600, run(Ack, Abort(OneAck))), (300, run(Ack, Fin)), (100, run(Syn, Silence))]);

static ZMAP: Mix = mix(&[(6200, run(Syn, Abort(One))), (3800, run(Syn, Silence))]);

static MASSCAN: Mix = mix(&[(5000, run(Syn, Abort(One))), (5000, run(Syn, Silence))]);

static SYN_PAYLOAD: Mix = mix(&[(1, run(SynData, Silence))]);

static RESEARCH: Mix = mix(&[
    (3300, run(Syn, Abort(One))),
    (2200, run(Syn, Silence)),
    (1200, run(Answer, Fin)),
    (300, run(Ack, Abort(OneAck))),
    (2600, run(More, Abort(OneAck))),
    (400, run(More, Abort(ManyAck))),
]);

static SHUTDOWN: Mix =
    mix(&[(8800, run(Syn, Silence)), (700, run(Ack, Silence)), (500, run(Request, Silence))]);

static EXAMS: Mix =
    mix(&[(9000, run(Ack, Silence)), (400, run(Idle, Silence)), (600, run(Request, Silence))]);

static FLOOD: Mix = mix(&[(1, run(Syn, Silence))]);
