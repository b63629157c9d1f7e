------------------------------- MODULE Outbox -------------------------------
(* A transactional outbox: the twin of model/src/outbox.rs, with the same variables, actions, guards and guarantees,
   and equal counts of states (manifest.json).

   A service writes a change and a row of its outbox in one transaction. A relay locks the next row, publishes its
   event to a queue and marks the row as sent. A worker of another service is handed a message, looks the event up in
   the inbox, lets its effect happen and notes it, all in one transaction, and acknowledges the message. All changes
   are of one record, so that their order matters.

   Assumed: the queue keeps a message until it is acknowledged; changes commit in the order of their rows; a crash is
   noticed at once. A new change is the environment's doing: nothing may rely on it. Faults are budgeted.
   Left out: losses of the queue, gaps in the row numbers, failed publications, time, crashes of the service within its
   transaction, which are rollbacks.
   Everything counts from 0; sequences of TLA+ start at 1, hence every `+ 1` between brackets. *)
EXTENDS Naturals, Sequences

CONSTANTS EventCount, RelayCount, WorkerCount, Rollbacks, Crashes, Expiries,
          None  \* what stands where nothing does

(* The guards; each can be removed. *)
CONSTANTS AtomicOutbox, MarkAfterPublish, LockRelease, SingleRelay, SingleActiveConsumer, Inbox, InboxAtomic,
          InboxKeep, AckAfterEffect

ASSUME EventCount \in 1..4 /\ RelayCount \in 1..2 /\ WorkerCount \in 1..2
ASSUME {Rollbacks, Crashes, Expiries} \subseteq Nat

Events == 0..(EventCount - 1)
Relays == 0..(RelayCount - 1)
Workers == 0..(WorkerCount - 1)

VARIABLES
    changes,  \* for each event, what became of its change
    rows,     \* for each event, its row in the outbox
    relays,   \* for each relay, the row that it has in hand, and how far it is with it
    queue,    \* messages, oldest first: each with its event, and the worker to which it was handed out
    workers,  \* for each worker, what it has in hand
    inbox,    \* for each event, whether the inbox has noted it
    effects,  \* for each event, how often its effect happened; counted to 2
    budget,   \* faults to come
    ghost     \* the truth, which no guard reads: whether an effect came after that of a later change, and whether a
              \* message was acknowledged whose effect had not happened

vars == <<changes, rows, relays, queue, workers, inbox, effects, budget, ghost>>

-----------------------------------------------------------------------------
Min(numbers) == CHOOSE n \in numbers : \A m \in numbers : n <= m
First(numbers) == IF numbers = {} THEN {} ELSE {Min(numbers)}
Without(sequence, place) == SubSeq(sequence, 1, place - 1) \o SubSeq(sequence, place + 1, Len(sequence))
Again(number) == IF number < 2 THEN number + 1 ELSE 2

Fate(event) == changes[event + 1]
Row(event) == rows[event + 1]
Effects(event) == effects[event + 1]
Relay(relay) == relays[relay + 1]
Hand(worker) == workers[worker + 1].work

IsHalf(event) == Fate(event) \in {"Announced", "Unannounced"}
HalfChange == First({event \in Events : IsHalf(event)})
NextChange == IF HalfChange # {} THEN {} ELSE First({event \in Events : Fate(event) = "Wanted"})

FreeRelay == [row |-> None, published |-> "NotYet"]
Idle == [work |-> None]

Send(event) == queue' = Append(queue, [event |-> event, holder |-> None])
Held(worker) == {place \in DOMAIN queue : queue[place].holder = worker}

Spend(kind) == budget[kind] > 0 /\ budget' = [budget EXCEPT ![kind] = @ - 1]

(* Whether an event may be delivered again. *)
MayComeAgain(event) ==
    \/ Row(event) \in {"Waiting", "Locked"}
    \/ \E relay \in Relays : Relay(relay).row = event
    \/ \E place \in DOMAIN queue : queue[place].event = event
    \/ \E worker \in Workers : Hand(worker) # None /\ Hand(worker).event = event

-----------------------------------------------------------------------------
Init == /\ changes = [place \in 1..EventCount |-> "Wanted"]
        /\ rows = [place \in 1..EventCount |-> "Absent"]
        /\ relays = [place \in 1..RelayCount |-> FreeRelay]
        /\ queue = <<>>
        /\ workers = [place \in 1..WorkerCount |-> Idle]
        /\ inbox = [place \in 1..EventCount |-> FALSE]
        /\ effects = [place \in 1..EventCount |-> 0]
        /\ budget = [rollbacks |-> Rollbacks, crashes |-> Crashes, expiries |-> Expiries]
        /\ ghost = [is_overtaken |-> FALSE, has_acked_undone |-> FALSE]

(* The service. Guard atomic-outbox: without it, change and event are two steps, in either order. *)
Change(event) ==
    /\ event \in NextChange
    /\ changes' = [changes EXCEPT ![event + 1] = IF AtomicOutbox THEN "Committed" ELSE "Unannounced"]
    /\ rows' = IF AtomicOutbox THEN [rows EXCEPT ![event + 1] = "Waiting"] ELSE rows
    /\ UNCHANGED <<relays, queue, workers, inbox, effects, budget, ghost>>

Announce(event) ==
    /\ ~AtomicOutbox /\ event \in NextChange
    /\ changes' = [changes EXCEPT ![event + 1] = "Announced"]
    /\ Send(event)
    /\ UNCHANGED <<rows, relays, workers, inbox, effects, budget, ghost>>

Finish(event) ==
    /\ event \in HalfChange
    /\ changes' = [changes EXCEPT ![event + 1] = "Committed"]
    /\ IF Fate(event) = "Unannounced" THEN Send(event) ELSE UNCHANGED queue
    /\ UNCHANGED <<rows, relays, workers, inbox, effects, budget, ghost>>

(* The relays. Guard single-relay. *)
Lock(relay) ==
    /\ Relay(relay).row = None
    /\ SingleRelay => /\ \A event \in Events : Row(event) # "Locked"
                      /\ \A other \in Relays : Relay(other).row = None
    /\ \E event \in First({event \in Events : Row(event) = "Waiting"}) :
           /\ rows' = [rows EXCEPT ![event + 1] = "Locked"]
           /\ relays' = [relays EXCEPT ![relay + 1] = [row |-> event, published |-> "NotYet"]]
    /\ UNCHANGED <<changes, queue, workers, inbox, effects, budget, ghost>>

Publish(relay) ==
    /\ Relay(relay).row # None /\ Relay(relay).published \in {"NotYet", "Marked"}
    /\ Send(Relay(relay).row)
    /\ relays' = [relays EXCEPT ![relay + 1] = IF @.published = "Marked" THEN FreeRelay
                                               ELSE [@ EXCEPT !.published = "Published"]]
    /\ UNCHANGED <<changes, rows, workers, inbox, effects, budget, ghost>>

(* Guard mark-after-publish. *)
Mark(relay) ==
    /\ Relay(relay).row # None
    /\ Relay(relay).published = "Published" \/ (Relay(relay).published = "NotYet" /\ ~MarkAfterPublish)
    /\ rows' = [rows EXCEPT ![Relay(relay).row + 1] = "Sent"]
    /\ relays' = [relays EXCEPT ![relay + 1] = IF @.published = "Published" THEN FreeRelay
                                               ELSE [@ EXCEPT !.published = "Marked"]]
    /\ UNCHANGED <<changes, queue, workers, inbox, effects, budget, ghost>>

(* The workers. Guard single-active-consumer. *)
Receive(worker) ==
    /\ Hand(worker) = None
    /\ SingleActiveConsumer => \A other \in Workers : Hand(other) = None
    /\ \E place \in First(Held(None)) :
           /\ queue' = [queue EXCEPT ![place].holder = worker]
           /\ workers' = [workers EXCEPT ![worker + 1].work =
                  [event |-> queue[place].event, stage |-> "Received", is_acked |-> FALSE]]
    /\ UNCHANGED <<changes, rows, relays, inbox, effects, budget, ghost>>

(* A worker that is through with its message, and has acknowledged it, has nothing in hand any more. *)
GoOn(worker, work) ==
    workers' = [workers EXCEPT ![worker + 1].work = IF work.is_acked /\ work.stage = "Handled" THEN None ELSE work]

(* What a worker does next. Guards inbox and inbox-atomic: look-up, effect and note are one step, or three. *)
Handling(work) ==
    LET deed(applies, notes, stage) == [applies |-> applies, notes |-> notes, stage |-> stage]
    IN  CASE work.stage = "Received" ->
                 IF ~Inbox THEN deed(TRUE, FALSE, "Handled")
                 ELSE IF inbox[work.event + 1] THEN deed(FALSE, FALSE, "Handled")
                 ELSE IF InboxAtomic THEN deed(TRUE, TRUE, "Handled")
                 ELSE deed(FALSE, FALSE, "Checked")
          [] work.stage = "Checked" -> deed(TRUE, FALSE, "Applied")
          [] work.stage = "Applied" -> deed(FALSE, TRUE, "Handled")

Handle(worker) ==
    LET work == Hand(worker)
        event == work.event
        deed == Handling(work)
        is_late == Effects(event) = 0 /\ \E later \in Events : later > event /\ Effects(later) > 0
    IN  /\ work # None /\ work.stage # "Handled"
        /\ effects' = IF deed.applies THEN [effects EXCEPT ![event + 1] = Again(@)] ELSE effects
        /\ ghost' = IF deed.applies THEN [ghost EXCEPT !.is_overtaken = @ \/ is_late] ELSE ghost
        /\ inbox' = IF deed.notes THEN [inbox EXCEPT ![event + 1] = TRUE] ELSE inbox
        /\ GoOn(worker, [work EXCEPT !.stage = deed.stage])
        /\ UNCHANGED <<changes, rows, relays, queue, budget>>

(* Guard ack-after-effect. *)
Ack(worker) ==
    LET work == Hand(worker)
    IN  /\ work # None /\ ~work.is_acked
        /\ AckAfterEffect => work.stage = "Handled"
        /\ queue' = Without(queue, Min(Held(worker)))
        /\ ghost' = [ghost EXCEPT !.has_acked_undone = @ \/ Effects(work.event) = 0]
        /\ GoOn(worker, [work EXCEPT !.is_acked = TRUE])
        /\ UNCHANGED <<changes, rows, relays, inbox, effects, budget>>

(* Faults. *)
RollBack(event) ==
    /\ Spend("rollbacks")
    /\ event \in HalfChange \union NextChange /\ Fate(event) # "Unannounced"
    /\ changes' = [changes EXCEPT ![event + 1] = "RolledBack"]
    /\ UNCHANGED <<rows, relays, queue, workers, inbox, effects, ghost>>

(* What was changed stays changed, what was published stays published, and nobody remembers the rest. *)
CrashService(event) ==
    /\ Spend("crashes")
    /\ event \in HalfChange
    /\ changes' = [changes EXCEPT ![event + 1] = IF @ = "Announced" THEN "RolledBack" ELSE "Committed"]
    /\ UNCHANGED <<rows, relays, queue, workers, inbox, effects, ghost>>

(* Guard lock-release. *)
CrashRelay(relay) ==
    LET event == Relay(relay).row
    IN  /\ Spend("crashes")
        /\ event # None
        /\ relays' = [relays EXCEPT ![relay + 1] = FreeRelay]
        /\ rows' = IF LockRelease /\ Row(event) = "Locked" THEN [rows EXCEPT ![event + 1] = "Waiting"] ELSE rows
        /\ UNCHANGED <<changes, queue, workers, inbox, effects, ghost>>

(* The queue notices, and will hand the message out again from where it stands. *)
CrashWorker(worker) ==
    /\ Spend("crashes")
    /\ Hand(worker) # None
    /\ workers' = [workers EXCEPT ![worker + 1] = Idle]
    /\ queue' = [place \in DOMAIN queue |-> IF place \in Held(worker) THEN [queue[place] EXCEPT !.holder = None]
                                            ELSE queue[place]]
    /\ UNCHANGED <<changes, rows, relays, inbox, effects, ghost>>

(* Guard inbox-keep. *)
Expire(event) ==
    /\ Spend("expiries")
    /\ inbox[event + 1] /\ (InboxKeep => ~MayComeAgain(event))
    /\ inbox' = [inbox EXCEPT ![event + 1] = FALSE]
    /\ UNCHANGED <<changes, rows, relays, queue, workers, effects, ghost>>

RelayWork(relay) == Lock(relay) \/ Publish(relay) \/ Mark(relay)
WorkerWork(worker) == Receive(worker) \/ Handle(worker) \/ Ack(worker)

Work == \/ \E event \in Events : Finish(event)
        \/ \E relay \in Relays : RelayWork(relay)
        \/ \E worker \in Workers : WorkerWork(worker)

Fault == \/ \E event \in Events :
                Change(event) \/ Announce(event) \/ RollBack(event) \/ CrashService(event) \/ Expire(event)
         \/ \E relay \in Relays : CrashRelay(relay)
         \/ \E worker \in Workers : CrashWorker(worker)

Next == Work \/ Fault

(* The service, each relay and each worker go on. *)
Fairness == /\ WF_vars(\E event \in Events : Finish(event))
            /\ \A relay \in Relays : WF_vars(RelayWork(relay))
            /\ \A worker \in Workers : WF_vars(WorkerWork(worker))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
OutboxTypeInv ==
    /\ changes \in [1..EventCount -> {"Wanted", "Announced", "Unannounced", "Committed", "RolledBack"}]
    /\ rows \in [1..EventCount -> {"Absent", "Waiting", "Locked", "Sent"}]
    /\ relays \in [1..RelayCount -> [row : Events \union {None}, published : {"NotYet", "Published", "Marked"}]]
    /\ \A place \in DOMAIN queue : queue[place] \in [event : Events, holder : Workers \union {None}]
    /\ workers \in [1..WorkerCount -> [work : {None} \union
           [event : Events, stage : {"Received", "Checked", "Applied", "Handled"}, is_acked : BOOLEAN]]]
    /\ inbox \in [1..EventCount -> BOOLEAN] /\ effects \in [1..EventCount -> 0..2]
    /\ \A kind \in DOMAIN budget : budget[kind] >= 0

IsDone ==
    /\ HalfChange = {}
    /\ \A event \in Events : Row(event) \in {"Absent", "Sent"}
    /\ \A relay \in Relays : Relay(relay).row = None
    /\ queue = <<>>
    /\ \A worker \in Workers : Hand(worker) = None

(* Nothing but faults can happen any more. *)
IsQuiescent == ~ENABLED Work

OutboxAtomicityInv ==
    /\ \A event \in Events : Fate(event) = "RolledBack" => Effects(event) = 0
    /\ IsQuiescent => \A event \in Events : (Fate(event) = "Committed") = (Effects(event) > 0)

KeyOrderInv == ~ghost.is_overtaken

EffectOnceInv == \A event \in Events : Effects(event) <= 1

AtLeastOnceInv == ~ghost.has_acked_undone

NoDeadlockInv == IsQuiescent => IsDone

(* In the end, every change that was made has its effect. *)
IsSettled == \A event \in Events : Fate(event) = "Committed" => Effects(event) > 0
AtLeastOnceProp == (~IsSettled) ~> IsSettled

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
IsOut(event) == Effects(event) > 0 \/ \E place \in DOMAIN queue : queue[place].event = event

DebugNothingIsFinished == ~(IsDone /\ \A event \in Events : Fate(event) = "Committed" /\ Effects(event) = 1)
DebugNothingIsRolledBack ==
    ~(IsDone /\ \E event, later \in Events :
          Fate(event) = "RolledBack" /\ later > event /\ Effects(later) > 0)
DebugNothingIsPublishedAgain == [][~\E relay \in Relays : Publish(relay) /\ IsOut(Relay(relay).row)]_vars
DebugNoLockIsReleased == [][~\E relay \in Relays : CrashRelay(relay) /\ Relay(relay).published = "NotYet"]_vars
DebugNoEventIsKnown ==
    [][~\E worker \in Workers : Handle(worker) /\ Hand(worker).stage = "Received" /\ UNCHANGED effects]_vars
DebugNoAckIsLost == [][~\E worker \in Workers : CrashWorker(worker) /\ Hand(worker).stage = "Handled"]_vars
DebugNothingIsForgotten == [][~\E event \in Events : Expire(event)]_vars
DebugNobodyWaits ==
    ~(/\ \E relay \in Relays : Relay(relay).row # None
      /\ \E worker \in Workers : Hand(worker) # None
      /\ \E event \in Events : Row(event) = "Waiting"
      /\ Held(None) # {})
=============================================================================
