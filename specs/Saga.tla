-------------------------------- MODULE Saga --------------------------------
(* A saga led by an orchestrator: the twin of model/src/saga.rs, with the same variables, actions, guards and
   guarantees, and equal counts of states (manifest.json).

   The orchestrator asks one participant after the other to do its step. If one refuses, or nobody knows what became of
   it, the steps before the pivot are compensated in reverse order; from the pivot on there is no way back, and the
   orchestrator asks until the rest is done. Where the saga stands is in a durable log; memory is lost in a crash.

   Assumed: a participant takes a command, acts and writes down that it did in one local transaction; what follows the
   pivot is not refused. Commands and replies are lost, duplicated, and overtake one another; a time-out may come at
   any moment after the command was sent. Faults are budgeted; recovery is not.
   Left out: parallel branches, nested sagas, several sagas at once, crashes of participants (one before the
   transaction is a lost command, one after it a lost reply), how the client hears of the end.
   A command is sent again only when neither it nor its reply is under way, which bounds how many copies there are.
   Steps count from 0, as in the model's settings; sequences of TLA+ start at 1, hence every `+ 1` between brackets. *)
EXTENDS Naturals, Sequences, FiniteSets, Bags

CONSTANTS StepCount,
          Pivot,  \* the place of the pivot among the steps; StepCount: there is none
          Faults, Losses, Duplicates, Timeouts, Crashes, Refusals, CompensationFailures

(* The guards; each can be removed. *)
CONSTANTS IdempotentForward, IdempotentCompensation, Tombstone, PersistFirst, CompensationRetry, CompensateUnknown,
          CorrelateReplies, ReverseOrder, PivotDiscipline, Recover

ASSUME StepCount \in 1..5 /\ Pivot \in 0..5
ASSUME {Faults, Losses, Duplicates, Timeouts, Crashes, Refusals, CompensationFailures} \subseteq Nat

Steps == 0..(StepCount - 1)
Commands == [step : Steps, way : {"forward", "backward"}]
Replies == [command : Commands, is_done : BOOLEAN]

VARIABLES
    is_requested,  \* whether the client still waits for its saga to be accepted
    log,           \* where the saga stands by the durable log
    orchestrator,  \* whether it runs, where it believes the saga to stand, whether it has sent what is next
    participants,  \* for each step, what its participant wrote down
    commands,      \* under way: a bag, since there may be copies, and there is no order
    replies,       \* likewise
    budget,        \* faults to come
    is_accepted    \* ghost: whether the client was told that its saga will be carried out; no guard reads it

vars == <<is_requested, log, orchestrator, participants, commands, replies, budget, is_accepted>>

-----------------------------------------------------------------------------
(* Where a saga stands. *)
Unheard == [phase |-> "unheard"]
Forward(step) == [phase |-> "forward", step |-> step]  \* the steps before are done; this one is next, or under way
Committed == [phase |-> "committed"]
Aborted == [phase |-> "aborted"]
Backward(steps) == IF steps = {} THEN Aborted ELSE [phase |-> "backward", steps |-> steps]  \* still to be compensated
Phases == {Unheard, Committed, Aborted} \union {Forward(step) : step \in Steps}
              \union {Backward(steps) : steps \in SUBSET Steps}
IsEnd(phase) == phase \in {Committed, Aborted}

Max(numbers) == CHOOSE n \in numbers : \A m \in numbers : m <= n
Min(numbers) == CHOOSE n \in numbers : \A m \in numbers : n <= m

Add(message, link) == link (+) SetToBag({message})
Remove(message, link) == link (-) SetToBag({message})

Fresh == [executions |-> 0, compensations |-> 0, is_refused |-> FALSE, has_tombstone |-> FALSE]
Participant(step) == participants[step + 1]
Stands(step) == Participant(step).executions > 0 /\ Participant(step).compensations = 0
Again(count) == IF count < 2 THEN count + 1 ELSE 2

Spend(kind) == /\ budget.faults > 0 /\ budget[kind] > 0
               /\ budget' = [budget EXCEPT !.faults = @ - 1, ![kind] = @ - 1]

(* What the orchestrator has to ask for next, at most one command. Guard reverse-order. *)
Asked(phase) ==
    CASE phase.phase = "forward" -> {[step |-> phase.step, way |-> "forward"]}
      [] phase.phase = "backward" ->
             {[step |-> IF ReverseOrder THEN Max(phase.steps) ELSE Min(phase.steps), way |-> "backward"]}
      [] OTHER -> {}

IsUnderWay(command) ==
    BagIn(command, commands) \/ \E is_done \in BOOLEAN : BagIn([command |-> command, is_done |-> is_done], replies)

(* Guard correlate-replies. *)
Answers(reply) ==
    \E asked \in Asked(orchestrator.memory) :
        \/ reply.command = asked
        \/ ~CorrelateReplies /\ orchestrator.has_sent /\ reply.command.way = asked.way

(* The whole transition table of the saga's log. Guards compensate-unknown and compensation-retry. *)
Compensatable(count) == {step \in Steps : step < count /\ step < Pivot}
Follow(phase, outcome) ==
    CASE phase.phase = "forward" /\ outcome = "done" ->
             IF phase.step + 1 = StepCount THEN Committed ELSE Forward(phase.step + 1)
      [] phase.phase = "forward" /\ outcome = "refused" -> Backward(Compensatable(phase.step))
      [] phase.phase = "forward" /\ outcome = "unknown" ->
             Backward(Compensatable(IF CompensateUnknown THEN phase.step + 1 ELSE phase.step))
      [] phase.phase = "backward" /\ (outcome = "done" \/ (outcome = "refused" /\ ~CompensationRetry)) ->
             Backward(phase.steps \ {asked.step : asked \in Asked(phase)})
      [] OTHER -> phase

(* A decision goes to the log at once; without the guard persist-first, when what it leads to was answered. *)
Enter(phase) ==
    /\ log' = IF PersistFirst \/ IsEnd(phase) THEN phase ELSE orchestrator.memory
    /\ orchestrator' = [orchestrator EXCEPT !.memory = phase, !.has_sent = FALSE]

-----------------------------------------------------------------------------
Init == /\ is_requested = TRUE /\ is_accepted = FALSE
        /\ log = Unheard
        /\ orchestrator = [is_up |-> TRUE, memory |-> Unheard, has_sent |-> FALSE]
        /\ participants = [place \in 1..StepCount |-> Fresh]
        /\ commands = EmptyBag /\ replies = EmptyBag
        /\ budget = [faults |-> Faults, losses |-> Losses, duplicates |-> Duplicates, timeouts |-> Timeouts,
                     crashes |-> Crashes, refusals |-> Refusals, compensation_failures |-> CompensationFailures]

(* The orchestrator. *)
Accept ==
    /\ orchestrator.is_up /\ is_requested
    /\ is_requested' = FALSE /\ is_accepted' = TRUE
    /\ Enter(Forward(0))
    /\ UNCHANGED <<participants, commands, replies, budget>>

Send ==
    \E command \in Asked(orchestrator.memory) :
        /\ ~IsUnderWay(command)
        /\ orchestrator' = [orchestrator EXCEPT !.has_sent = TRUE]
        /\ commands' = Add(command, commands)
        /\ UNCHANGED <<is_requested, log, participants, replies, budget, is_accepted>>

Receive(reply) ==
    /\ orchestrator.is_up /\ BagIn(reply, replies)
    /\ replies' = Remove(reply, replies)
    /\ LET memory == orchestrator.memory
           next == Follow(memory, IF reply.is_done THEN "done" ELSE "refused")
       IN  IF Answers(reply) /\ next # memory THEN Enter(next) ELSE UNCHANGED <<log, orchestrator>>
    /\ UNCHANGED <<is_requested, participants, commands, budget, is_accepted>>

(* Guard recover. *)
Restart ==
    /\ ~orchestrator.is_up
    /\ orchestrator' = [orchestrator EXCEPT !.is_up = TRUE, !.memory = IF Recover THEN log ELSE @]
    /\ UNCHANGED <<is_requested, log, participants, commands, replies, budget, is_accepted>>

(* The participants: what they write down, and whether they say that it is done. Guard idempotent-forward. *)
Execution(participant) ==
    CASE participant.has_tombstone -> [after |-> participant, is_done |-> FALSE]
      [] ~participant.has_tombstone /\ IdempotentForward /\ participant # Fresh ->
             [after |-> participant, is_done |-> ~participant.is_refused]
      [] OTHER -> [after |-> [participant EXCEPT !.executions = Again(@)], is_done |-> TRUE]

(* Guards idempotent-compensation and tombstone. There may be nothing to compensate: an empty rollback. *)
Compensation(participant) ==
    LET undoes == participant.executions > 0 /\ (participant.compensations = 0 \/ ~IdempotentCompensation)
    IN  [after |-> [participant EXCEPT !.compensations = IF undoes THEN Again(@) ELSE @,
                                       !.has_tombstone = @ \/ Tombstone],
         is_done |-> TRUE]

Answer(command, is_done) ==
    /\ BagIn(command, commands)
    /\ commands' = Remove(command, commands)
    /\ replies' = Add([command |-> command, is_done |-> is_done], replies)
    /\ UNCHANGED <<is_requested, log, orchestrator, is_accepted>>

Handle(command) ==
    LET participant == Participant(command.step)
        deed == IF command.way = "forward" THEN Execution(participant) ELSE Compensation(participant)
    IN  /\ Answer(command, deed.is_done)
        /\ participants' = [participants EXCEPT ![command.step + 1] = deed.after]
        /\ UNCHANGED budget

(* Faults. *)
LoseCommand(command) ==
    /\ BagIn(command, commands) /\ Spend("losses")
    /\ commands' = Remove(command, commands)
    /\ UNCHANGED <<is_requested, log, orchestrator, participants, replies, is_accepted>>

LoseReply(reply) ==
    /\ BagIn(reply, replies) /\ Spend("losses")
    /\ replies' = Remove(reply, replies)
    /\ UNCHANGED <<is_requested, log, orchestrator, participants, commands, is_accepted>>

DuplicateCommand(command) ==
    /\ BagIn(command, commands) /\ Spend("duplicates")
    /\ commands' = Add(command, commands)
    /\ UNCHANGED <<is_requested, log, orchestrator, participants, replies, is_accepted>>

DuplicateReply(reply) ==
    /\ BagIn(reply, replies) /\ Spend("duplicates")
    /\ replies' = Add(reply, replies)
    /\ UNCHANGED <<is_requested, log, orchestrator, participants, commands, is_accepted>>

(* Guard pivot-discipline. *)
Timeout ==
    /\ Spend("timeouts")
    /\ orchestrator.has_sent /\ orchestrator.memory.phase = "forward"
    /\ PivotDiscipline => orchestrator.memory.step < Pivot
    /\ Enter(Follow(orchestrator.memory, "unknown"))
    /\ UNCHANGED <<is_requested, participants, commands, replies, is_accepted>>

(* Only a crash in the middle of a saga interrupts anything. *)
Crash ==
    /\ Spend("crashes")
    /\ orchestrator.memory # Unheard /\ ~IsEnd(orchestrator.memory)
    /\ orchestrator' = [is_up |-> FALSE, memory |-> Unheard, has_sent |-> FALSE]
    /\ UNCHANGED <<is_requested, log, participants, commands, replies, is_accepted>>

(* What was decided once is not decided again, and what follows the pivot is not refused. *)
Refuse(command) ==
    /\ Spend("refusals")
    /\ command.way = "forward" /\ command.step <= Pivot /\ Participant(command.step) = Fresh
    /\ Answer(command, FALSE)
    /\ participants' = [participants EXCEPT ![command.step + 1].is_refused = TRUE]

(* Only what has something to undo can fail. *)
FailCompensation(command) ==
    /\ Spend("compensation_failures")
    /\ command.way = "backward" /\ Stands(command.step)
    /\ Answer(command, FALSE)
    /\ UNCHANGED participants

Work == \/ Accept \/ Send \/ Restart
        \/ \E command \in Commands : Handle(command)
        \/ \E reply \in Replies : Receive(reply)

Fault == \/ Timeout \/ Crash
         \/ \E command \in Commands :
                LoseCommand(command) \/ DuplicateCommand(command) \/ Refuse(command) \/ FailCompensation(command)
         \/ \E reply \in Replies : LoseReply(reply) \/ DuplicateReply(reply)

Next == Work \/ Fault

(* Each message by itself, or the handling of one could put off another's for ever. No fault has to happen. *)
Fairness == /\ WF_vars(Accept) /\ WF_vars(Send) /\ WF_vars(Restart)
            /\ \A command \in Commands : WF_vars(Handle(command))
            /\ \A reply \in Replies : WF_vars(Receive(reply))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
SagaTypeInv ==
    /\ is_requested \in BOOLEAN /\ is_accepted = ~is_requested
    /\ log \in Phases
    /\ orchestrator \in [is_up : BOOLEAN, memory : Phases, has_sent : BOOLEAN]
    /\ participants \in [1..StepCount -> [executions : 0..2, compensations : 0..2, is_refused : BOOLEAN,
                                   has_tombstone : BOOLEAN]]
    /\ BagToSet(commands) \subseteq Commands /\ BagToSet(replies) \subseteq Replies
    /\ \A kind \in DOMAIN budget : budget[kind] >= 0

IsWhole == \A step \in Steps : Stands(step)
IsUndone == ~\E step \in Steps : Stands(step)
IsDone == IsEnd(log)

(* Nothing but faults can happen any more. *)
IsQuiescent == ~ENABLED Work

SagaAtomicityInv ==
    /\ log = Committed => IsWhole
    /\ log = Aborted => IsUndone
    /\ (Pivot \in Steps /\ Participant(Pivot).executions > 0) => \A step \in Steps : step < Pivot => Stands(step)
    /\ IsQuiescent => IsWhole \/ IsUndone

CompensationOrderInv ==
    \A step, later \in Steps : (Participant(step).compensations > 0 /\ step < later) => ~Stands(later)

EffectOnceInv == \A step \in Steps : Participant(step).executions <= 1 /\ Participant(step).compensations <= 1

DurabilityInv == is_accepted => (log # Unheard \/ orchestrator.memory # Unheard)

SagaTerminationInv == (IsQuiescent /\ is_accepted) => IsDone

NoDeadlockInv == IsQuiescent => IsDone

(* In the end, the log says how the saga ended. *)
SagaTerminationProp == <>IsDone

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
DebugNothingIsCommitted == ~(log = Committed /\ IsWhole)
DebugNothingIsAborted ==
    ~(log = Aborted /\ IsUndone /\ Cardinality({step \in Steps : Participant(step).compensations > 0}) >= 2)
DebugNothingIsRecovered == [][~(Restart /\ orchestrator'.memory # Unheard /\ ~IsDone)]_vars

DebugNoStepIsAskedForAgain ==
    [][~\E command \in Commands :
            command.way = "forward" /\ Stands(command.step) /\ Handle(command) /\ UNCHANGED participants]_vars
DebugNoCompensationIsAskedForAgain ==
    [][~\E command \in Commands :
            /\ command.way = "backward" /\ Participant(command.step).compensations > 0
            /\ Handle(command) /\ UNCHANGED participants]_vars
DebugNothingIsOvertaken ==
    [][~\E command \in Commands :
            /\ command.way = "forward" /\ Handle(command)
            /\ Participant(command.step).has_tombstone /\ participants'[command.step + 1].executions = 0]_vars

DebugNoCompensationIsRetried ==
    [][~\E reply \in Replies : ~reply.is_done /\ Answers(reply) /\ Receive(reply) /\ UNCHANGED orchestrator]_vars
DebugNothingDoneIsGivenUp == [][~(Timeout /\ Stands(orchestrator.memory.step))]_vars
DebugNoReplyIsDropped == [][~\E reply \in Replies : orchestrator.has_sent /\ ~Answers(reply) /\ Receive(reply)]_vars
DebugNoPivotIsAskedForAgain ==
    [][~(Send /\ orchestrator.has_sent /\ orchestrator.memory.phase = "forward"
           /\ orchestrator.memory.step >= Pivot)]_vars
=============================================================================
