"""Signing in at a provider that speaks OpenID Connect, by django-allauth. Off unless configured.

Only the way in is open: to the provider and back. No account is made, joined or changed by a form
of allauth's, and a person who is signed in is never connected with another account.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views as allauth_views
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

from curriculum.services import accounts
from curriculum.services.audit import Actor
from curriculum.signing_in import login_page

# What somebody else's server may bring about: no answer, an error, an answer with parts missing.
FAILURES = (RequestException, OAuth2Error, KeyError, ValueError)


def _sorry(request: HttpRequest, says: str, status: int) -> HttpResponse:
    return login_page(request, {"says": says}, status=status)


def _failed(request: HttpRequest) -> HttpResponse:
    return _sorry(
        request,
        f"{settings.IOA_OIDC_NAME} could not be asked, or its answer could not be read. Try again; "
        "if it stays like this, tell an administrator.",
        502,
    )


@require_GET
@never_cache
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider. By a link: a form's redirects may lead nowhere but to ourselves."""
    if "process" in request.GET:  # allauth would connect who is signed in with another account
        raise Http404
    try:
        return allauth_views.login(request, provider_id)
    except FAILURES:
        return _failed(request)


@require_GET
@never_cache
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        return allauth_views.callback(request, provider_id)
    except FAILURES:
        return _failed(request)


urlpatterns = [
    path("oidc/<str:provider_id>/login/", begin, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", callback, name="openid_connect_callback"),
]


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: where it leads says enough."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return _sorry(request, "This account is switched off. Ask an administrator.", 403)


class SocialAdapter(DefaultSocialAccountAdapter):
    """Who signs in for the first time gets an account in the group `IOA_OIDC_GROUP`."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """An address that an account here has already does not make a second one, and does not
        open the first: the provider may not have checked it. With IOA_OIDC_LINK_BY_EMAIL allauth
        has found the account by an address that the provider vouches for, before this.
        """
        email = sociallogin.user.email
        if sociallogin.is_existing or not email:
            return
        if User.objects.filter(email__iexact=email).exists():
            says = (
                "You could not be signed in like this. If you have an account here, sign in with "
                "its password; else ask an administrator."
            )
            raise ImmediateHttpResponse(_sorry(request, says, 403))

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        if settings.IOA_OIDC_GROUP != "none":
            user.groups.add(Group.objects.get(name=settings.IOA_OIDC_GROUP))
        accounts.added(user, actor=Actor.person(user))
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        if isinstance(exception, FAILURES):
            raise ImmediateHttpResponse(_failed(request))
        says = f"Signing in at {settings.IOA_OIDC_NAME} was broken off. Begin again."
        raise ImmediateHttpResponse(_sorry(request, says, 401))
