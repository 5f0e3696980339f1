//! Job Objects: made, found by name, limited, counted, ended.

use super::handle::{own, wide};
use super::{Call, Fault, error, size, yes};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{HANDLE, STILL_ACTIVE};
use windows_sys::Win32::System::JobObjects as win;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::GROUP_AFFINITY;

/// Every right to a job; winnt.h, JOB_OBJECT_ALL_ACCESS.
const ALL_ACCESS: u32 = 0x001f_001f;

/// A job, opened.
#[derive(Debug)]
pub struct Job(OwnedHandle);

/// What becomes of the processes when the last handle of the job is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// They go on.
    Leave,
    /// They end; JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE.
    Kill,
}

/// The limits that are set together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basic {
    /// Committed memory of all processes, in bytes.
    pub memory: Option<u64>,
    /// Processes at a time.
    pub processes: Option<u32>,
    /// At the last handle's end.
    pub closing: Closing,
}

/// Time on the processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As much as there is.
    Free,
    /// At most so many of 10,000 cycles.
    AtMost(u32),
    /// Against other jobs, 1 to 9.
    Weight(u32),
}

/// What the processes have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// In their own code, in units of 100 ns.
    pub user: u64,
    /// In the kernel for them, in units of 100 ns.
    pub kernel: u64,
    /// Processes that live.
    pub active: u32,
    /// Processes that there have been.
    pub total: u32,
}

impl Job {
    /// Makes a job of this name; CreateJobObjectW.
    ///
    /// # Errors
    /// ERROR_ALREADY_EXISTS where there is one; as CreateJobObjectW.
    pub fn make(name: &str) -> Result<Job, Fault> {
        let name = wide(name);
        // SAFETY: the name ends with its mark; no attributes means this user's own.
        let raw = unsafe { win::CreateJobObjectW(std::ptr::null(), name.as_ptr()) };
        let last = Fault::last(Call::CreateJob);
        match own(raw) {
            Some(_) if last.errno == error::ALREADY_EXISTS => Err(last),
            Some(handle) => Ok(Job(handle)),
            None => Err(last),
        }
    }

    /// Finds a job by its name; `None` where there is none any more; OpenJobObjectW.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED for one of another user; as OpenJobObjectW.
    pub fn open(name: &str) -> Result<Option<Job>, Fault> {
        let name = wide(name);
        // SAFETY: the name ends with its mark.
        let raw = unsafe { win::OpenJobObjectW(ALL_ACCESS, 0, name.as_ptr()) };
        match own(raw) {
            Some(handle) => Ok(Some(Job(handle))),
            None => match Fault::last(Call::OpenJob) {
                fault if fault.is_missing() => Ok(None),
                fault => Err(fault),
            },
        }
    }

    /// Sets memory, processes and the end; SetInformationJobObject.
    ///
    /// # Errors
    /// As SetInformationJobObject.
    pub fn limit(&self, limits: Basic) -> Result<(), Fault> {
        let mut all = win::JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        let mut flags = 0;
        if let Some(memory) = limits.memory {
            flags |= win::JOB_OBJECT_LIMIT_JOB_MEMORY;
            all.JobMemoryLimit = usize::try_from(memory).unwrap_or(usize::MAX);
        }
        if let Some(processes) = limits.processes {
            flags |= win::JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
            all.BasicLimitInformation.ActiveProcessLimit = processes;
        }
        if limits.closing == Closing::Kill {
            flags |= win::JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        }
        all.BasicLimitInformation.LimitFlags = flags;
        self.set(win::JobObjectExtendedLimitInformation, &all)
    }

    /// The limits that [`Job::limit`] sets, as they are; QueryInformationJobObject.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn limits(&self) -> Result<Basic, Fault> {
        let all = self.extended()?;
        let basic = all.BasicLimitInformation;
        let has = |flag| basic.LimitFlags & flag != 0;
        let memory = u64::try_from(all.JobMemoryLimit).unwrap_or(u64::MAX);
        Ok(Basic {
            memory: has(win::JOB_OBJECT_LIMIT_JOB_MEMORY).then_some(memory),
            processes: has(win::JOB_OBJECT_LIMIT_ACTIVE_PROCESS)
                .then_some(basic.ActiveProcessLimit),
            closing: match has(win::JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE) {
                true => Closing::Kill,
                false => Closing::Leave,
            },
        })
    }

    /// The most bytes that were committed at a time.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn peak(&self) -> Result<u64, Fault> {
        let peak = self.extended()?.PeakJobMemoryUsed;
        Ok(u64::try_from(peak).unwrap_or(u64::MAX))
    }

    fn extended(&self) -> Result<win::JOBOBJECT_EXTENDED_LIMIT_INFORMATION, Fault> {
        let mut all = win::JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        self.get(win::JobObjectExtendedLimitInformation, &mut all)?;
        Ok(all)
    }

    /// Sets time on the processors; SetInformationJobObject.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER where the system cannot.
    pub fn rate(&self, rate: Rate) -> Result<(), Fault> {
        let mut control = win::JOBOBJECT_CPU_RATE_CONTROL_INFORMATION::default();
        let enable = win::JOB_OBJECT_CPU_RATE_CONTROL_ENABLE;
        match rate {
            Rate::Free => {}
            Rate::AtMost(rate) => {
                control.ControlFlags = enable | win::JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
                control.Anonymous.CpuRate = rate;
            }
            Rate::Weight(weight) => {
                control.ControlFlags = enable | win::JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED;
                control.Anonymous.Weight = weight;
            }
        }
        self.set(win::JobObjectCpuRateControlInformation, &control)
    }

    /// Sets the processors, one (group, mask) for each group; SetInformationJobObject.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER for processors that are not there.
    pub fn affinity(&self, masks: &[(u16, u64)]) -> Result<(), Fault> {
        let group = |&(group, mask): &(u16, u64)| GROUP_AFFINITY {
            Mask: usize::try_from(mask).unwrap_or(usize::MAX),
            Group: group,
            Reserved: [0; 3],
        };
        let groups: Vec<GROUP_AFFINITY> = masks.iter().map(group).collect();
        let length = u32::try_from(size_of_val(groups.as_slice())).unwrap_or_default();
        let class = win::JobObjectGroupInformationEx;
        // SAFETY: the class wants an array of GROUP_AFFINITY, and `length` is this one's in bytes.
        let done = unsafe {
            win::SetInformationJobObject(self.raw(), class, groups.as_ptr().cast(), length)
        };
        yes(done, Call::SetJob)
    }

    /// Limits operations and bytes a second, 0 for any number, on all volumes. The function is looked for: not
    /// every Windows has it.
    ///
    /// # Errors
    /// ERROR_PROC_NOT_FOUND where it is not there; what it left.
    pub fn io(&self, iops: i64, bps: i64) -> Result<(), Fault> {
        type Set = unsafe extern "system" fn(
            HANDLE,
            *const win::JOBOBJECT_IO_RATE_CONTROL_INFORMATION,
        ) -> u32;
        let missing = Fault {
            call: Call::SetIoRate,
            errno: error::PROC_NOT_FOUND,
        };
        let kernel = wide("kernel32.dll");
        // SAFETY: the name ends with its mark; the module is never unloaded.
        let module = unsafe { GetModuleHandleW(kernel.as_ptr()) };
        let name = c"SetIoRateControlInformationJobObject";
        // SAFETY: the module is loaded, and the name is a C string.
        let found = unsafe { GetProcAddress(module, name.as_ptr().cast()) };
        let found = found.ok_or(missing)?;
        // SAFETY: this is the function's declaration in jobapi2.h.
        let set: Set = unsafe { std::mem::transmute(found) };
        let control = win::JOBOBJECT_IO_RATE_CONTROL_INFORMATION {
            MaxIops: iops,
            MaxBandwidth: bps,
            ControlFlags: win::JOB_OBJECT_IO_RATE_CONTROL_ENABLE.cast_unsigned(),
            ..Default::default()
        };
        // SAFETY: the handle is open while `self` is, and the structure lives across the call.
        let done = unsafe { set(self.raw(), &raw const control) };
        if done == 0 {
            Err(Fault::last(Call::SetIoRate))
        } else {
            Ok(())
        }
    }

    /// Ends all processes with this status; TerminateJobObject. It returns before they are gone.
    ///
    /// # Errors
    /// As TerminateJobObject.
    pub fn terminate(&self, status: u32) -> Result<(), Fault> {
        debug_assert!(i32::try_from(status).is_ok_and(|status| status != STILL_ACTIVE));
        // SAFETY: the handle is open while `self` is.
        yes(
            unsafe { win::TerminateJobObject(self.raw(), status) },
            Call::TerminateJob,
        )
    }

    /// The pids of all processes; QueryInformationJobObject.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn pids(&self) -> Result<Vec<u32>, Fault> {
        // Two counts of 32 bits, then a pid in each word.
        let mut words = vec![0usize; 64];
        loop {
            let length = u32::try_from(size_of_val(words.as_slice())).unwrap_or_default();
            let class = win::JobObjectBasicProcessIdList;
            let into = words.as_mut_ptr().cast();
            // SAFETY: `words` has room for `length` bytes, and is aligned as the structure is.
            let done = unsafe {
                win::QueryInformationJobObject(
                    self.raw(),
                    class,
                    into,
                    length,
                    std::ptr::null_mut(),
                )
            };
            match yes(done, Call::QueryJob) {
                Err(fault) if fault.errno == error::MORE_DATA && words.len() < 1 << 20 => {
                    words.resize(words.len() * 4, 0);
                }
                Err(fault) => return Err(fault),
                Ok(()) => break,
            }
        }
        let listed = words.first().map_or(0, |counts| counts >> 32);
        let pids = words.iter().skip(1).take(listed);
        Ok(pids.filter_map(|pid| u32::try_from(*pid).ok()).collect())
    }

    /// What the processes have used; QueryInformationJobObject.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn used(&self) -> Result<Used, Fault> {
        let mut basic = win::JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        self.get(win::JobObjectBasicAccountingInformation, &mut basic)?;
        let time = |time: i64| u64::try_from(time).unwrap_or_default();
        Ok(Used {
            user: time(basic.TotalUserTime),
            kernel: time(basic.TotalKernelTime),
            active: basic.ActiveProcesses,
            total: basic.TotalProcesses,
        })
    }

    /// What they have read, written and done else: operations and bytes; QueryInformationJobObject.
    ///
    /// # Errors
    /// As QueryInformationJobObject.
    pub fn moved(&self) -> Result<[(u64, u64); 3], Fault> {
        let mut all = win::JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION::default();
        self.get(win::JobObjectBasicAndIoAccountingInformation, &mut all)?;
        let io = all.IoInfo;
        Ok([
            (io.ReadOperationCount, io.ReadTransferCount),
            (io.WriteOperationCount, io.WriteTransferCount),
            (io.OtherOperationCount, io.OtherTransferCount),
        ])
    }

    fn set<T>(&self, class: i32, value: &T) -> Result<(), Fault> {
        let value = std::ptr::from_ref(value).cast();
        // SAFETY: each caller's `T` is the structure of its class, and lives across the call.
        let done = unsafe { win::SetInformationJobObject(self.raw(), class, value, size::<T>()) };
        yes(done, Call::SetJob)
    }

    fn get<T>(&self, class: i32, value: &mut T) -> Result<(), Fault> {
        let value = std::ptr::from_mut(value).cast();
        let none = std::ptr::null_mut();
        // SAFETY: each caller's `T` is the structure of its class, of plain numbers, and lives across the call.
        let done =
            unsafe { win::QueryInformationJobObject(self.raw(), class, value, size::<T>(), none) };
        yes(done, Call::QueryJob)
    }

    fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}

impl AsHandle for Job {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}
