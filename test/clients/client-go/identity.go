package main

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

var identityChecks = []check{
	{"token_request", tokenRequest},
	{"impersonation", impersonation},
	{"access_reviews", accessReviews},
	{"unauthorized", unauthorized},
}

func account(ctx context.Context, e *env, namespace, name string) (*corev1.ServiceAccount, error) {
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	return e.typed.CoreV1().ServiceAccounts(namespace).Create(ctx, object, metav1.CreateOptions{})
}

// anonymous is the server without the admin's credentials.
func anonymous(e *env) *rest.Config { return rest.AnonymousClientConfig(e.config) }

func tokenRequest(ctx context.Context, e *env, namespace string) error {
	if _, err := account(ctx, e, namespace, "robot"); err != nil {
		return err
	}
	token, err := e.typed.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "robot", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr(int64(900))},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	config := anonymous(e)
	config.BearerToken = token.Status.Token
	robot, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	self, err := robot.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := expect("who it is", self.Status.UserInfo.Username, "system:serviceaccount:"+namespace+":robot"); err != nil {
		return err
	}
	_, err = robot.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err := refused("a list without a role", err, apierrors.IsForbidden); err != nil {
		return err
	}
	want := fmt.Sprintf(`pods is forbidden: User "system:serviceaccount:%s:robot" cannot list resource "pods" in API group "" in the namespace "%s"`, namespace, namespace)
	if err := expect("its text", err, want); err != nil {
		return err
	}
	_, err = e.typed.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "robot"},
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "robot", Namespace: namespace}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := eventually(ctx, "the role counts", func() error {
		_, err := robot.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		return err
	}); err != nil {
		return err
	}
	review, err := e.typed.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := expect("authenticated", review.Status.Authenticated, true); err != nil {
		return err
	}
	if err := e.typed.CoreV1().ServiceAccounts(namespace).Delete(ctx, "robot", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eventually(ctx, "the token dies with its account", func() error {
		_, err := robot.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		return refused("a list", err, apierrors.IsUnauthorized)
	})
}

func impersonation(ctx context.Context, e *env, namespace string) error {
	config := rest.CopyConfig(e.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "jane", Groups: []string{"developers"}, Extra: map[string][]string{"team": {"a", "b"}}}
	jane, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	self, err := jane.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := all(
		func() error { return expect("name", self.Status.UserInfo.Username, "jane") },
		func() error {
			return expect("groups", self.Status.UserInfo.Groups, []string{"developers", "system:authenticated"})
		},
		func() error { return expect("extra", self.Status.UserInfo.Extra["team"], []string{"a", "b"}) },
	); err != nil {
		return err
	}
	_, err = jane.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("x", nil, nil), metav1.CreateOptions{})
	if err := refused("a write of jane", err, apierrors.IsForbidden); err != nil {
		return err
	}
	// jane may not be somebody else.
	config.Impersonate = rest.ImpersonationConfig{}
	if _, err := account(ctx, e, namespace, "robot"); err != nil {
		return err
	}
	token, err := e.typed.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "robot", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	sly := anonymous(e)
	sly.BearerToken = token.Status.Token
	sly.Impersonate = rest.ImpersonationConfig{UserName: "admin", Groups: []string{"system:masters"}}
	client, err := kubernetes.NewForConfig(sly)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Secrets("kube-system").List(ctx, metav1.ListOptions{})
	return refused("impersonation without the right", err, apierrors.IsForbidden)
}

func accessReviews(ctx context.Context, e *env, namespace string) error {
	ask := func(user, verb, resource string) (bool, error) {
		review, err := e.typed.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: resource},
		}}, metav1.CreateOptions{})
		if err != nil {
			return false, err
		}
		return review.Status.Allowed, nil
	}
	_, err := e.typed.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = e.typed.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "reader"},
		Subjects: []rbacv1.Subject{{APIGroup: "rbac.authorization.k8s.io", Kind: "User", Name: "joe"}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error {
			return eventually(ctx, "joe reads", func() error {
				allowed, err := ask("joe", "get", "secrets")
				if err != nil {
					return err
				}
				return expect("allowed", allowed, true)
			})
		},
		func() error {
			allowed, err := ask("joe", "list", "secrets")
			if err != nil {
				return err
			}
			return expect("allowed", allowed, false)
		},
		func() error {
			rules, err := e.typed.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			return expect("the admin has rules", len(rules.Status.ResourceRules) > 0, true)
		},
	)
}

func unauthorized(ctx context.Context, e *env, _ string) error {
	config := anonymous(e)
	config.BearerToken = "not-a-token"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err := refused("a token that is none", err, apierrors.IsUnauthorized); err != nil {
		return err
	}
	nobody, err := kubernetes.NewForConfig(anonymous(e))
	if err != nil {
		return err
	}
	_, err = nobody.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	return refused("nobody", err, func(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) })
}
