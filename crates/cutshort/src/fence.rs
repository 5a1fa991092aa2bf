//! Giving up privileges once everything is open: from then on the process can do little more than
//! read its sockets and write its results, whatever a packet might make it do.

use std::fmt;
use std::path::Path;

use caps::{CapSet, CapsHashSet};

use crate::error::Error;

/// What is left of the process's rights.
pub(crate) struct Kept {
    capabilities: CapsHashSet,
    files: Fence,
    calls: Fence,
}

/// How much of a fence the kernel has put up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fence {
    Whole,
    /// The kernel is older than the fence.
    Part,
    None,
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "fenced",
            Self::Part => "fenced in part (older kernel)",
            Self::None => "not fenced (the kernel cannot)",
        })
    }
}

/// `kept no capability; files fenced, system calls fenced`
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<String> = self.capabilities.iter().map(ToString::to_string).collect();
        names.sort();
        let names = if names.is_empty() { "no capability".to_owned() } else { names.join(", ") };
        write!(f, "kept {names}; files {}, system calls {}", self.files, self.calls)
    }
}

/// Gives up all capabilities, reaching files other than those in `folders`, making connections,
/// and the system calls that this program never needs. For this thread and those it starts: call
/// it before there are others.
///
/// # Errors
/// What could not be given up. That the kernel has no fences is none; the result says it.
pub(crate) fn enter(folders: &[&Path]) -> Result<Kept, Error> {
    let failed = |what: &str, error: &dyn fmt::Display| {
        Error::Failed(format!("privileges cannot be dropped ({what}): {error}"))
    };
    let files = fence_files(folders).map_err(|error| failed("files", &error))?;
    drop_capabilities().map_err(|error| failed("capabilities", &error))?;
    let calls = fence_calls().map_err(|error| failed("system calls", &error))?;
    let capabilities = caps::read(None, CapSet::Permitted).map_err(|error| failed("capabilities", &error))?;
    Ok(Kept { capabilities, files, calls })
}

fn drop_capabilities() -> Result<(), caps::errors::CapsError> {
    // The bounding set can only be cleared by who may: others have nothing to lose there.
    let _ = caps::clear(None, CapSet::Bounding);
    let _ = caps::clear(None, CapSet::Ambient);
    [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted]
        .into_iter()
        .try_for_each(|set| caps::clear(None, set))
}

/// Sets "no new privileges", too.
fn fence_files(folders: &[&Path]) -> Result<Fence, landlock::RulesetError> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
        path_beneath_rules,
    };
    let all = AccessFs::from_all(ABI::V5);
    let ruleset =
        Ruleset::default().handle_access(all)?.handle_access(AccessNet::from_all(ABI::V5))?.create()?;
    let status = ruleset.add_rules(path_beneath_rules(folders, all))?.restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Fence::Whole,
        RulesetStatus::PartiallyEnforced => Fence::Part,
        RulesetStatus::NotEnforced => Fence::None,
    })
}

/// System calls for which a program that was taken over would reach.
const FORBIDDEN: [i64; 32] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
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

fn fence_calls() -> Result<Fence, seccompiler::Error> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(Fence::None) };
    let rules = FORBIDDEN.into_iter().map(|call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    Ok(match seccompiler::apply_filter(&program) {
        Ok(()) => Fence::Whole,
        Err(_) => Fence::None,
    })
}
