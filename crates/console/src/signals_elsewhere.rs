//! Signals where there are none: Ctrl-C ends the program at once.

/// Signals cannot be handled: never here.
#[derive(Debug)]
pub enum SignalsError {}

impl std::fmt::Display for SignalsError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

impl std::error::Error for SignalsError {}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    End,
    /// To read files again.
    Reload,
}

/// Signals that are caught: none.
pub struct Signals;

impl Signals {
    /// For a command that ends by itself.
    ///
    /// # Errors
    /// None.
    pub fn of_command() -> Result<Self, SignalsError> {
        Ok(Self)
    }

    /// For a service.
    ///
    /// # Errors
    /// None.
    pub fn of_service() -> Result<Self, SignalsError> {
        Ok(Self)
    }

    /// Has nothing done.
    ///
    /// # Errors
    /// None.
    pub fn each(self, _: impl FnMut(Asked) + Send + 'static) -> Result<(), SignalsError> {
        Ok(())
    }
}

/// Ends the program at once.
pub fn interrupt() -> ! {
    std::process::exit(1);
}
