import gc
import weakref

from gamin.core.model.audience import Audience
from gamin.core.model.subscription import Scope, Subscription


def test_an_audience_keeps_its_subscriptions_in_order() -> None:
    one, two = (Subscription(1, n, b"/a", Scope.TREE) for n in (1, 2))
    audience = Audience((two, one), (two,))
    assert audience.subscriptions == (two, one)
    assert audience.recursive == (two,)


def test_an_audience_can_be_referred_to_weakly() -> None:
    reference = weakref.ref(Audience(()))
    gc.collect()
    assert reference() is None
