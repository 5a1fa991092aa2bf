use std::fmt;
use std::io;

/// Why packets cannot be received, or no longer.
#[derive(Debug)]
pub enum LiveError {
    /// The operating system has no such sources.
    NotLinux,
    /// A capability is missing; this is its name.
    NotPermitted(&'static str),
    /// Another program already receives this group.
    Taken(u16),
    /// There is no interface of this name, or it was removed.
    NoInterface(String),
    /// The interface was removed, and receiving from it when it returns would take privileges again.
    Removed(String),
    /// The kernel refuses the program that samples; this is its reason.
    NoEbpf(String),
    /// The kernel refuses for another reason.
    Io(io::Error),
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinux => f.write_str("packets can be received on Linux only; read a capture here"),
            Self::NotPermitted(privilege) => {
                write!(f, "receiving packets needs root or {privilege}: run it with sudo")
            }
            Self::Taken(group) => write!(
                f,
                "another program receives group {group}; /proc/net/netfilter/nfnetlink_log shows which, \
                 or choose another group for the rules and here"
            ),
            Self::NoInterface(name) => write!(f, "there is no interface {name}; 'ip link' lists them"),
            Self::Removed(name) => {
                write!(f, "interface {name} was removed; start again when it is back")
            }
            Self::NoEbpf(why) => write!(
                f,
                "the kernel refuses the program that samples ({why}). It takes Linux 6.6 or newer with BPF; elsewhere, use \
                 nflog: with 'cutshort rules apply', or af_packet:"
            ),
            Self::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for LiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for LiveError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
