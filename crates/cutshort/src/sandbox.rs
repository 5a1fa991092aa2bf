//! Giving up privileges once everything is open: from then on the process can do little more than
//! read its sockets and write its results, whatever a packet might make it do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability, CapsHashSet};
use seccompiler::SeccompRule;

use crate::error::Error;
use crate::user::User;

/// What a process needs once everything is open.
#[derive(Default)]
pub(crate) struct Needs {
    /// Folders to read and write in.
    pub(crate) folders: Vec<PathBuf>,
    /// Files and folders to read.
    pub(crate) read: Vec<PathBuf>,
    /// Whether to answer connections, and make some; otherwise no new socket is opened.
    pub(crate) network: bool,
    /// Ports that connections are made to.
    pub(crate) ports: Vec<u16>,
    /// Capabilities without which it could not go on.
    pub(crate) capabilities: CapsHashSet,
    /// Whom to become.
    pub(crate) user: Option<User>,
}

impl Needs {
    /// Files that are read again when they change. They may be replaced, so the folders are needed that they are in;
    /// for links to them, the folders that these are in now, too.
    pub(crate) fn read_again<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        for file in files {
            let target = file.canonicalize().ok();
            for folder in [Some(file), target.as_deref()].into_iter().flatten().map(folder_of) {
                if !self.read.contains(&folder) {
                    self.read.push(folder);
                }
            }
        }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What is left of the process's rights.
pub(crate) struct Kept {
    user: Option<String>,
    capabilities: CapsHashSet,
    files: Restriction,
    calls: Restriction,
}

/// How much of the sandbox the kernel supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restriction {
    Whole,
    /// The kernel knows only a part of it.
    Part,
    None,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "restricted",
            Self::Part => "partly restricted (older kernel)",
            Self::None => "not restricted (not supported by the kernel)",
        })
    }
}

/// `runs as cutshort, kept no capability; file access restricted, system calls restricted`
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<String> = self.capabilities.iter().map(ToString::to_string).collect();
        names.sort();
        let names = if names.is_empty() { "no capability".to_owned() } else { names.join(", ") };
        if let Some(user) = &self.user {
            write!(f, "runs as {user}, ")?;
        }
        write!(f, "kept {names}; file access {}, system calls {}", self.files, self.calls)
    }
}

/// Gives up all capabilities, reaching files and making connections, but for what is needed, and the system
/// calls that this program never needs. For this thread and those it starts: call it before there are others.
///
/// # Errors
/// What could not be given up. That the kernel supports no sandbox is not an error; the result says so.
pub(crate) fn enter(needs: &Needs) -> Result<Kept, Error> {
    let failed = |what: &str, error: &dyn fmt::Display| {
        Error::Failed(format!("privileges cannot be dropped ({what}): {error}"))
    };
    let files = restrict_files(needs).map_err(|error| failed("files", &error))?;
    drop_bounds(&needs.capabilities);
    if let Some(user) = &needs.user {
        user.become_it(!needs.capabilities.is_empty()).map_err(|error| failed("user", &error))?;
    }
    drop_capabilities(&needs.capabilities).map_err(|error| failed("capabilities", &error))?;
    let calls = restrict_calls(needs).map_err(|error| failed("system calls", &error))?;
    let capabilities = caps::read(None, CapSet::Permitted).map_err(|error| failed("capabilities", &error))?;
    Ok(Kept { user: needs.user.as_ref().map(|user| user.name.clone()), capabilities, files, calls })
}

/// The bounding set can only be cleared by who may: others have nothing to lose there.
fn drop_bounds(kept: &CapsHashSet) {
    let _ = caps::clear(None, CapSet::Ambient);
    for capability in caps::all().into_iter().filter(|capability| !kept.contains(capability)) {
        let _ = caps::drop(None, CapSet::Bounding, capability);
    }
}

fn drop_capabilities(kept: &CapsHashSet) -> Result<(), caps::errors::CapsError> {
    let kept: CapsHashSet = caps::read(None, CapSet::Permitted)?.intersection(kept).copied().collect();
    caps::clear(None, CapSet::Inheritable)?;
    // What is effective must be permitted.
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

/// Sets "no new privileges", too.
fn restrict_files(needs: &Needs) -> Result<Restriction, landlock::RulesetError> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
        path_beneath_rules,
    };
    let all = AccessFs::from_all(ABI::V5);
    let ruleset =
        Ruleset::default().handle_access(all)?.handle_access(AccessNet::from_all(ABI::V5))?.create()?;
    let ports = needs.ports.iter().map(|port| Ok(NetPort::new(*port, AccessNet::ConnectTcp)));
    let status = ruleset
        .add_rules(path_beneath_rules(&needs.folders, all))?
        .add_rules(path_beneath_rules(&needs.read, AccessFs::ReadFile | AccessFs::ReadDir))?
        .add_rules(ports.collect::<Vec<Result<_, landlock::RulesetError>>>())?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Restriction::Whole,
        RulesetStatus::PartiallyEnforced => Restriction::Part,
        RulesetStatus::NotEnforced => Restriction::None,
    })
}

/// System calls for which a program that was taken over would reach.
const FORBIDDEN: [i64; 26] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_listen,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_open_by_handle_at,
];

/// Those that have to do with connections.
const NETWORK: [i64; 6] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_accept,
    libc::SYS_accept4,
];
/// Kinds of sockets that are needed where connections are: names are looked up with the last of them.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

fn restrict_calls(needs: &Needs) -> Result<Restriction, seccompiler::Error> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(Restriction::None) };
    let mut rules: BTreeMap<_, _> = FORBIDDEN.into_iter().map(|call| (call, Vec::new())).collect();
    if needs.network {
        rules.insert(libc::SYS_socket, vec![other_families(needs)?]);
    } else {
        rules.extend(NETWORK.map(|call| (call, Vec::new())));
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    Ok(match seccompiler::apply_filter(&program) {
        Ok(()) => Restriction::Whole,
        Err(_) => Restriction::None,
    })
}

/// Sockets of other kinds than those that are needed.
fn other_families(needs: &Needs) -> Result<SeccompRule, seccompiler::Error> {
    use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition};
    let packet = needs.capabilities.contains(&Capability::CAP_NET_RAW).then_some(libc::AF_PACKET);
    let families = FAMILIES.into_iter().chain(packet);
    let is_not = |family: i32| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.unsigned_abs()))
    };
    Ok(SeccompRule::new(families.map(is_not).collect::<Result<_, _>>()?)?)
}
