//! Signals where there are none: Ctrl-C ends the program at once.

use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    End,
    Reload,
}

pub(crate) struct Signals;

impl Signals {
    pub(crate) fn of_command() -> Result<Self, Error> {
        Ok(Self)
    }

    pub(crate) fn of_service() -> Result<Self, Error> {
        Ok(Self)
    }

    pub(crate) fn each(self, _: impl FnMut(Asked) + Send + 'static) -> Result<(), Error> {
        Ok(())
    }
}

pub(crate) fn interrupt() -> ! {
    std::process::exit(1);
}
