"""The strings shared with the dialplan, defined once; the templates of `asterisk-conf/` are rendered
with them and a test reads both sides."""

from __future__ import annotations

from typing import Final

from rules import sounds

TRUNK: Final = "trunk"
"""PJSIP endpoint of the carrier's line."""

AGENT_DEVICE: Final = "Agent:"
"""Device of an operator's nailed-up leg; the agent's id follows. Only its state tells when a leg can take
a call: for 5 s after AgentLogin, and while it returns from a talk, AgentRequest says BUSY."""

# contexts
ANSWERED: Final = "yobirin-answered"
CONNECT: Final = "yobirin-connect"
"""The extension is the agent to be connected to."""
MESSAGE: Final = "yobirin-message"
OPERATORS: Final = "yobirin-operators"
INBOUND: Final = "yobirin-inbound"
LOGIN_EXTENSION: Final = "*1"

# contexts of a callback
CALLBACK: Final = "yobirin-callback"
CALLBACK_WAIT: Final = "yobirin-callback-wait"
CALLBACK_CONNECT: Final = "yobirin-callback-connect"
"""The extension is the agent to be connected to."""
CALLBACK_ALONE: Final = "yobirin-callback-alone"
"""The service is not there: Asterisk's own queue, else message and recording."""
CALLBACK_AGENT: Final = "yobirin-callback-agent"
"""Where the members of that queue lead; the extension is the agent."""
CALLBACK_MESSAGE: Final = "yobirin-callback-message"
CALLBACK_QUEUE: Final = "yobirin-callbacks"

# channel variables
ATTEMPT: Final = "YOBIRIN_ATTEMPT"
OPERATOR: Final = "YOBIRIN_OPERATOR"
"""Set by an operator's endpoint: the extension that may log in as agent, which is its own."""

# global variables
DIALPLAN_VERSION: Final = "YOBIRIN_DIALPLAN"

# user events; each carries Attempt: <uuid>
EVENT_ANSWERED: Final = "YobirinAnswered"
EVENT_COURTESY: Final = "YobirinCourtesy"
EVENT_OPERATOR_MISSED: Final = "YobirinOperatorMissed"
"""Also Operator: <agent> and Status: <AGENT_STATUS>."""
EVENT_MESSAGE_STARTED: Final = "YobirinMessageStarted"
EVENT_MESSAGE_LEFT: Final = "YobirinMessageLeft"

EVENT_CALLBACK: Final = "YobirinCallback"
"""What becomes of a callback: Callback: <Uniqueid of its channel>, Stage: one of those below, Detail; with
`arrived` also Called and Number ('' where it is withheld)."""
STAGE_ARRIVED: Final = "arrived"
STAGE_WAITING: Final = "waiting"
STAGE_JOINING: Final = "joining"
"""Detail: the agent."""
STAGE_MISSED: Final = "missed"
"""Detail: the agent, who did not take the caller or whose line broke; the caller waits again."""
STAGE_ALONE: Final = "alone"
STAGE_TALK: Final = "talk"
"""Detail: the agent who got the caller from Asterisk's own queue."""
STAGE_GUIDANCE: Final = "guidance"
"""Detail: the sounds that are played."""
STAGE_MESSAGE: Final = "message"
STAGE_RECORDED: Final = "recorded"
"""Detail: seconds."""
STAGE_ASKED_BACK: Final = "asked_back"
STAGE_ENDED: Final = "ended"

# channel variables of a callback
CALLBACK_ID: Final = "YOBIRIN_CALLBACK"
CALLED: Final = "YOBIRIN_CALLED"
DO: Final = "YOBIRIN_DO"
"""What AGI decided (`rules.answering.Do`)."""
PLAY: Final = "YOBIRIN_PLAY"
"""The sounds to play, joined by &."""

# what a callback asks and waits for
AGI_ARRIVED: Final = "callback"
"""Script: what does this caller get? Arguments: the callback, the number that was dialled."""
AGI_WAITING: Final = "wait"
"""Script: what does this caller hear while waiting? Arguments: the callback, 1 if the number is known, else
0."""
ANSWER_WITHIN_S: Final = 1
"""Seconds after which whoever has not answered is taken for dead."""
ASK_AGAIN_S: Final = 10
"""Seconds of silence between two things a waiting caller hears."""
KEY_ASK_BACK: Final = "1"
KEY_MESSAGE: Final = "2"
MESSAGE_S: Final = 120
"""Seconds that a caller's message may last."""
MESSAGE_SILENCE_S: Final = 5
"""Seconds of silence that end it."""

CALLBACK_JOURNAL: Final = "yobirin-callback"
"""Family; the key is the callback, the value `stage|detail|arrived|at|ended|called|number` (times in seconds
since 1970, `ended` 0 or 1). Deleted when the end is committed."""

# journal in Asterisk's own database: what happened while the service was away
JOURNAL: Final = "yobirin"
"""Family; the key is the attempt, the value one of those below (`talk:` is followed by the agent)."""
JOURNAL_ANSWERED: Final = "answered"
JOURNAL_COURTESY: Final = "courtesy"
JOURNAL_TALK: Final = "talk:"
JOURNAL_MESSAGE: Final = "message"
JOURNAL_LEFT: Final = "left"

# sounds, played from the folder `asterisk.sounds_dir`; docs/sounds.md tells each one's text
SOUND_COURTESY: Final = "courtesy"
SOUND_VOICEMAIL: Final = "voicemail"
SOUND_GUIDANCE: Final = sounds.GUIDANCE
SOUND_WAIT: Final = "wait"
SOUND_ASKED_BACK: Final = "asked-back"
SOUND_LEAVE_MESSAGE: Final = "leave-message"
SOUND_BEEP: Final = "beep"
SOUND_MESSAGE_TAKEN: Final = "message-taken"
SOUND_CONNECT: Final = "connect"
"""What an operator hears before a person is put through: no sound at all, for the person waits."""
SOUND_SILENCE: Final = "silence"
"""What an operator hears between two calls."""
DIALPLAN_SOUNDS: Final = (
    SOUND_COURTESY,
    SOUND_VOICEMAIL,
    SOUND_WAIT,
    SOUND_ASKED_BACK,
    SOUND_LEAVE_MESSAGE,
    SOUND_BEEP,
    SOUND_MESSAGE_TAKEN,
    SOUND_CONNECT,
    SOUND_SILENCE,
)
"""Those the dialplan plays of its own accord."""
SOUNDS: Final = (*DIALPLAN_SOUNDS, *sounds.ANSWERS)
"""All that are ever heard, beside messages the city ordered."""

# leaving a message on an answering machine
SILENCE_MS: Final = 1500
"""Silence after which greeting and beep are over: pauses within a greeting are shorter."""
GREETING_S: Final = 45
"""Seconds after which nobody waits for that silence any longer."""

# events of Asterisk
EVENT_CONNECTED: Final = "NewConnectedLine"
"""The person's channel (Uniqueid: the attempt) was bridged with the agent in ConnectedLineNum.

`AgentRequest` sends no AgentConnect (that is app_queue's); this one follows the bridging at once.
"""
# let through by the manager, beside EVENT_CONNECTED to an operator and DeviceStateChange of the trunk
# and of the agents (an agent takes calls only from its first NOT_INUSE, 5 s after AgentLogin)
EVENTS: Final = (
    "AgentLogoff",
    "DialBegin",
    "DialState",
    "FullyBooted",
    "Hangup",
    "OriginateResponse",
    "Shutdown",
    "UserEvent",
)
