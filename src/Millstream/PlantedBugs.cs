#if MILLSTREAM_PLANTED_BUGS
namespace Millstream;

/// <summary>Faults that the simulation must find. Compiled in with <c>-p:PlantedBugs=true</c> only, which nothing but <c>./simulate</c> does.</summary>
internal enum Bug
{
    None, EffectsBeforeDurable, ReaderSeesUndurable, LostWakeUp, LostWakeUpAtEnd, DuplicateNumber, TurnInTwoAppends, MailboxOrderSwapped, SignalAcceptedBeforeDurable,
    SignalDeliveredTwice, DuplicateSenderNotDropped, DuplicateAnsweredBeforeDurable, SecondCancelUnanswered, CancelForgetsWaitingTask, EndBeforeTasksEnded,
    SpinAfterCancel, LeaseKeptOnFailure, LeaseKeptOnRetry, LostLeaseKeepsPlace, PlaceGivenUpLate, StopEndsBeforeLostAttempt, EpochDoesNotRise, UnitLeasedTwice, UnitGivenWhileStopping, RevokedNotQueued, RequeuedAttemptForgotten,
    SessionNotClosed, AnswerAcceptedTwice, DeltaAfterEnd, TimerNotStopped, DeadlineNotStopped, TimerTooEarly, ChildEndLost, BeginsAfterStopWhileOpening,
    LostSync, OfferLost, EpochNotChecked, ClaimKeepsEpoch, ClaimsLivingJobs, ChainNotCarried, NumberNotCarried, EffectsWhileReplaying, InboxItemTwice, InboxItemNotRemoved,
    InboxItemTakenEarly, SendersForgotten, TimerNotSetAgain, TimerSetFromNow, AttemptsForgotten, FailuresForgotten, ChildStartedAgain, ChildEndForgotten, ChildShownAgain, HeadNotEnded, HeadGivesJobAway,
    CancelNotReplayed, DeltaOfFirstAttempt, RandomSeededAnew, IdSeededAnew, NowNotRecorded, TimedOutWrittenAgain, FailureForgotten, WriterNotWokenAgain,
    DeadlineForgotten, LeaseRunnerForgotten, StoredReaderSkips, AttemptNotWritten, DeafAfterFailure, FlushForgotten, AnswerBeforeReplay, OutputLeftBehind, SupersededForgotten, ClockGoesBack, ClockStandsStill,
    RateEndsWithLostLease, RateForgottenAtArrival, RateWakeLost, CoolDownForgotten, ThrottleForgotten, BusyCounted, BusyCountedAgain,
    PlanLetsWaitForEver, PlanIgnoresOthers, PlanKeepsWithdrawn, PlanMissesRetries,
}

/// <summary>Which of them is active on this thread.</summary>
internal static class PlantedBugs
{
    [ThreadStatic]
    private static Bug s_active;

    public static Bug Active
    {
        get => s_active;
        set => s_active = value;
    }

    public static bool Is(Bug bug) => s_active == bug;
}
#endif
