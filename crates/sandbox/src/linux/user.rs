//! The user that a program becomes which was started as root.

use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{Gid, Uid};
use rustix::thread;

use crate::error::Error;

/// A user of this host.
#[derive(Debug)]
pub struct User {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl User {
    /// Finds a user by name or number. A number need not be in `/etc/passwd`.
    ///
    /// # Errors
    /// [`Error::UnknownUser`] if there is no such user.
    pub fn find(name: &str) -> Result<Self, Error> {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = users.lines().find_map(|line| Self::of_line(line, name));
        let found = found.or_else(|| name.parse().ok().map(|number| Self::of_numbers(name, number, number)));
        found.ok_or_else(|| Error::UnknownUser(name.to_owned()))
    }

    fn of_line(line: &str, name: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let (own, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        (own == name || uid == name).then_some(())?;
        Some(Self::of_numbers(own, uid.parse().ok()?, gid.parse().ok()?))
    }

    fn of_numbers(name: &str, uid: u32, gid: u32) -> Self {
        Self { name: name.to_owned(), uid: Uid::from_raw(uid), gid: Gid::from_raw(gid) }
    }

    /// The user's name, or the number that was given for it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Becomes this user, without other groups, for this thread and those it starts. Where that is asked,
    /// capabilities stay permitted.
    pub(super) fn become_it(&self, keep: bool) -> io::Result<()> {
        if rustix::process::geteuid() == self.uid {
            return Ok(());
        }
        if keep {
            thread::set_keep_capabilities(true)?;
        }
        thread::set_thread_groups(&[])?;
        thread::set_thread_res_gid(self.gid, self.gid, self.gid)?;
        thread::set_thread_res_uid(self.uid, self.uid, self.uid)?;
        Ok(())
    }

    /// Makes a folder that is this user's, if it is missing.
    pub(crate) fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        chown(folder, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
    }
}

/// Whether a folder, or something in it, belongs to another user than that of this process. Root without
/// capabilities cannot open it.
pub(crate) fn has_files_of_others(folder: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let is_of_others = |path: &Path| path.symlink_metadata().is_ok_and(|metadata| metadata.uid() != own);
    let entries = folder.read_dir().into_iter().flatten().flatten();
    is_of_others(folder) || entries.into_iter().any(|entry| is_of_others(&entry.path()))
}

/// Makes new files unreadable for other users and read-only for the group: packets have clients' addresses. A stricter
/// mask of the caller, such as systemd's, stays.
pub fn hide_new_files() {
    let others = Mode::RWXO | Mode::WGRP;
    let before = rustix::process::umask(others);
    rustix::process::umask(before | others);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_number() {
        let line = "games:x:5:60:games:/usr/games:/usr/sbin/nologin";
        for name in ["games", "5"] {
            let user = User::of_line(line, name).unwrap();
            assert_eq!((user.name.as_str(), user.uid.as_raw(), user.gid.as_raw()), ("games", 5, 60));
        }
        assert!(User::of_line(line, "game").is_none() && User::of_line("", "").is_none());
        assert_eq!(User::find("0").unwrap().name, "root");
        assert_eq!(User::find("4123456789").unwrap().uid.as_raw(), 4_123_456_789);
        assert!(User::find("no-such-user").unwrap_err().to_string().contains("useradd"));
    }
}
