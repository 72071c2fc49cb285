"""Indexes of several columns: each serves a filter of the admin's lists together with the list's order, or a report."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0006_analyst_group'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['status', 'created_at'], name='orders_status_created'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['customer_user_id', 'created_at'], name='orders_customer_created'),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=models.Index(fields=['product_id', 'order'], name='order_items_product_order'),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=models.Index(fields=['supplier_id', 'order'], name='order_items_supplier_order'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(fields=['post_type', 'created_at'], name='posts_type_created'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(fields=['post_type', 'published_at'], name='posts_type_published'),
        ),
        migrations.AddIndex(
            model_name='post',
            index=models.Index(fields=['author_user_id', 'created_at'], name='posts_author_created'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['supplier_id', 'created_at'], name='products_supplier_created'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['status', 'created_at'], name='products_status_created'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['category', 'created_at'], name='products_category_created'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['category', 'status', 'created_at'], name='products_both_created'),
        ),
        migrations.AddIndex(
            model_name='supplier',
            index=models.Index(fields=['created_at'], name='suppliers_created_at'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['deleted_at'], name='users_deleted_at'),
        ),
    ]
