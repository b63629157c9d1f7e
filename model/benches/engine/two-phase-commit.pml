/* Two-phase commit, the twin of two_phase_commit.rs in Promela: the same sets of participants, and equal counts of states
   and transitions. One process takes the steps of all, each one atomic: with a process for each participant SPIN keeps
   a state of 84 bytes instead of 20, and is no faster. */

#define ALL 255         /* eight participants, a bit each */

byte prepared, committed, aborted;
byte told;              /* participants who have told the coordinator that they are prepared */
byte heard;             /* and of whom it has heard */
byte decision;          /* 0 none, 1 commit, 2 abort; it is also the message */

#define IS_WORKING(bit) (!((prepared | committed | aborted) & bit))

#define PARTICIPANT(bit) \
    :: d_step { decision == 0 && (told & bit) && !(heard & bit) -> heard = heard | bit } \
    :: d_step { IS_WORKING(bit) -> prepared = prepared | bit; told = told | bit } \
    :: d_step { IS_WORKING(bit) -> aborted = aborted | bit } \
    :: d_step { decision == 1 && !(committed & bit) -> prepared = prepared & ~bit; committed = committed | bit } \
    :: d_step { decision == 2 && !(aborted & bit) -> prepared = prepared & ~bit; aborted = aborted | bit }

active proctype All()
{
end:
    do
    :: d_step { decision == 0 && heard == ALL -> decision = 1 }
    :: d_step { decision == 0 -> decision = 2 }
    PARTICIPANT(1)
    PARTICIPANT(2)
    PARTICIPANT(4)
    PARTICIPANT(8)
    PARTICIPANT(16)
    PARTICIPANT(32)
    PARTICIPANT(64)
    PARTICIPANT(128)
    od
}
